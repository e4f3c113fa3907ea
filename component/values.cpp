#include "component/values.h"

#include <memory>
#include <span>
#include <vector>

#include "engine/base/checked.h"
#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/base/utf8.h"
#include "engine/tensor/element.h"
#include "engine/tensor/growing.h"

using namespace nm;
using namespace nm::component;

namespace nm::component {
namespace {

using WitDictionary = exports_neuromancer_inference_inference_dictionary_t;

Tensor take_tensor(WitTensor handle) {
  Tensor tensor = exports_neuromancer_inference_inference_tensor_rep(handle)->tensor;
  exports_neuromancer_inference_inference_tensor_drop_own(handle);
  return tensor;
}

Result<Value> map_of(WitDictionary dictionary) {
  Map map = {take_tensor(dictionary.keys), take_tensor(dictionary.values)};
  if (map.keys.rank() != 1 || !(map.keys.shape() == map.values.shape())) {
    return Status(Code::InvalidArgument, "a dictionary is made of two tensors of one dimension and the same length");
  }
  if (is_float(map.keys.dtype()) || is_packed(map.keys.dtype()) || is_packed(map.values.dtype())) {
    return Status(Code::InvalidArgument, text("there are no dictionaries from ", dtype_name(map.keys.dtype()), " to ",
                                              dtype_name(map.values.dtype())));
  }
  return Value(std::make_shared<const Map>(std::move(map)));
}

// Of what `make` makes of each; all are made, also after a failure, since making uses them up.
template <class List, class Make>
Result<Value> sequence_of(List list, const Make& make) {
  Status status;
  auto sequence = std::make_shared<Sequence>();
  for (const auto& each : std::span(list.ptr, list.len)) {
    Result<Value> item = make(each);
    if (!status.ok()) continue;
    if (!item.ok()) {
      status = item.take_status();
      continue;
    }
    sequence->items.push_back(std::move(*item));
    status = check_memory();
  }
  std::free(list.ptr);
  NM_TRY(std::move(status));
  if (!sequence->items.empty()) sequence->element = type_of(sequence->items[0]);
  return Value(std::shared_ptr<const Sequence>(std::move(sequence)));
}

WitDictionary dictionary_of(const Map& map) { return {tensor_of(map.keys), tensor_of(map.values)}; }

}  // namespace

engine_string_t string_of(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string valid;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (next_character(text, at) == kBadCharacter) {
      at = begin + 1;
      valid += replacement;
    } else {
      valid += text.substr(begin, at - begin);
    }
  }
  const auto list = list_of<engine_string_t>(valid.size());
  if (!valid.empty()) std::memcpy(list.ptr, valid.data(), valid.size());
  return list;
}

bool fail(const Status& status, WitError* error) {
  // The codes stand in the same order, without `Ok`.
  error->code = static_cast<exports_neuromancer_inference_inference_error_code_t>(static_cast<int>(status.code()) - 1);
  error->message = string_of(status.message());
  return false;
}

WitTensor tensor_of(Tensor tensor) {
  return exports_neuromancer_inference_inference_tensor_new(
      new exports_neuromancer_inference_inference_tensor_t{std::move(tensor)});
}

Result<Value> take(const WitValue& value) {
  switch (value.tag) {
    case EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_TENSOR:
      return Value(take_tensor(value.val.tensor));
    case EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_SEQUENCE:
      return sequence_of(value.val.sequence, [](WitTensor t) { return Result<Value>(Value(take_tensor(t))); });
    case EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_DICTIONARY:
      return map_of(value.val.dictionary);
    case EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_DICTIONARIES:
      return sequence_of(value.val.dictionaries, map_of);
    default:
      return Value();
  }
}

Result<WitValue> give(const Value& value) {
  WitValue result = {};
  if (value.shape() != nullptr) {
    NM_ASSIGN(Tensor tensor, dense(value));
    result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_TENSOR;
    result.val.tensor = tensor_of(std::move(tensor));
  } else if (const Map* map = value.map()) {
    result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_DICTIONARY;
    result.val.dictionary = dictionary_of(*map);
  } else if (const Sequence* sequence = value.sequence()) {
    const Items& items = sequence->items;
    std::vector<Tensor> tensors;
    size_t maps = 0;
    for (const Value& item : items) {
      if (item.map() != nullptr) maps += 1;
      if (item.shape() == nullptr) continue;
      NM_ASSIGN(Tensor tensor, dense(item));
      tensors.push_back(std::move(tensor));
    }
    if (tensors.size() == items.size()) {
      result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_SEQUENCE;
      result.val.sequence = list_of<decltype(result.val.sequence)>(items.size());
      for (size_t i = 0; i < items.size(); ++i) result.val.sequence.ptr[i] = tensor_of(std::move(tensors[i]));
    } else if (maps == items.size()) {
      result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_DICTIONARIES;
      result.val.dictionaries = list_of<decltype(result.val.dictionaries)>(items.size());
      for (size_t i = 0; i < items.size(); ++i) result.val.dictionaries.ptr[i] = dictionary_of(*items[i].map());
    } else {
      return Status(Code::InvalidArgument, "the interface neuromancer:inference has no sequences of sequences");
    }
  } else {
    result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_VALUE_NOTHING;
  }
  return result;
}

}  // namespace nm::component

namespace {

using WitShape = engine_list_u64_t;
using Self = exports_neuromancer_inference_inference_borrow_tensor_t;

Result<Shape> shape_of(const WitShape& dims) {
  if (dims.len > static_cast<size_t>(kMaxRank)) {
    return Status(Code::InvalidArgument,
                  text("a tensor of rank ", dims.len, " was given; at most ", kMaxRank, " dimensions are supported"));
  }
  Shape shape;
  for (const uint64_t dim : std::span(dims.ptr, dims.len)) {
    if (dim > INT64_MAX) return Status(Code::InvalidArgument, text("a dimension of ", dim, " was given"));
    shape.push_back(static_cast<int64_t>(dim));
  }
  return shape;
}

Result<Tensor> create(DType dtype, const WitShape& dims) {
  NM_TRY(refill_reserve());
  NM_ASSIGN(const Shape shape, shape_of(dims));
  NM_ASSIGN(Tensor tensor, Tensor::create(dtype, shape));
  return tensor;
}

Result<Tensor> create(DType dtype, const WitShape& dims, std::span<const uint8_t> data) {
  if (dtype == DType::String) {
    return Status(Code::InvalidArgument, "a tensor of strings is made by tensor.of-strings");
  }
  NM_ASSIGN(Tensor tensor, create(dtype, dims));
  if (tensor.bytes() != data.size()) {
    return Status(Code::InvalidArgument, text("a tensor ", describe(dtype, tensor.shape()), " has ", tensor.bytes(),
                                              " bytes, but ", data.size(), " were given"));
  }
  if (!data.empty()) std::memcpy(tensor.raw(), data.data(), data.size());
  return tensor;
}

Result<Tensor> create(const WitShape& dims, std::span<const engine_string_t> strings) {
  NM_ASSIGN(Tensor tensor, create(DType::String, dims));
  if (static_cast<uint64_t>(tensor.count()) != strings.size()) {
    return Status(Code::InvalidArgument, text("a tensor ", describe(DType::String, tensor.shape()), " has ",
                                              tensor.count(), " strings, but ", strings.size(), " were given"));
  }
  Size bytes(0);
  for (const engine_string_t& s : strings) bytes = bytes + Size(s.len);
  NM_TRY(room_for("strings", bytes));
  std::string* to = tensor.data<std::string>();
  for (const engine_string_t& s : strings) *to++ = text_of(s);
  return tensor;
}

bool hand_over(Result<Tensor> tensor, WitTensor* ret, WitError* error) {
  if (tensor.ok() && memory_exhausted()) tensor = check_memory();
  if (!tensor.ok()) return fail(tensor.status(), error);
  *ret = tensor_of(std::move(*tensor));
  return true;
}

}  // namespace

bool exports_neuromancer_inference_inference_static_tensor_create(
    exports_neuromancer_inference_inference_element_type_t type, engine_list_u64_t* shape, engine_list_u8_t* data,
    WitTensor* ret, WitError* error) {
  // The types stand in the order of their numbers, without `Undefined`.
  const bool made = hand_over(create(static_cast<DType>(type + 1), *shape, {data->ptr, data->len}), ret, error);
  engine_list_u64_free(shape);
  engine_list_u8_free(data);
  return made;
}

bool exports_neuromancer_inference_inference_static_tensor_of_strings(engine_list_u64_t* shape,
                                                                      engine_list_string_t* strings, WitTensor* ret,
                                                                      WitError* error) {
  const bool made = hand_over(create(*shape, {strings->ptr, strings->len}), ret, error);
  engine_list_u64_free(shape);
  engine_list_string_free(strings);
  return made;
}

exports_neuromancer_inference_inference_element_type_t
exports_neuromancer_inference_inference_method_tensor_element_type(Self self) {
  return static_cast<exports_neuromancer_inference_inference_element_type_t>(static_cast<int>(self->tensor.dtype()) -
                                                                             1);
}

void exports_neuromancer_inference_inference_method_tensor_shape(Self self, engine_list_u64_t* ret) {
  const Shape& shape = self->tensor.shape();
  *ret = list_of<engine_list_u64_t>(static_cast<size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) ret->ptr[i] = static_cast<uint64_t>(shape[i]);
}

bool exports_neuromancer_inference_inference_method_tensor_data(Self self, engine_list_u8_t* ret, WitError* error) {
  const Tensor& tensor = self->tensor;
  if (tensor.dtype() == DType::String) {
    return fail({Code::InvalidArgument, "the elements of a tensor of strings are read by tensor.strings"}, error);
  }
  if (const Status s = room_for("a tensor's copy", Size(tensor.bytes())); !s.ok()) return fail(s, error);
  *ret = list_of<engine_list_u8_t>(tensor.bytes());
  if (ret->len > 0) std::memcpy(ret->ptr, tensor.raw(), ret->len);
  return true;
}

bool exports_neuromancer_inference_inference_method_tensor_strings(Self self, engine_list_string_t* ret,
                                                                   WitError* error) {
  const Tensor& tensor = self->tensor;
  if (tensor.dtype() != DType::String) {
    return fail({Code::InvalidArgument, text("the elements of ", describe(tensor.dtype(), tensor.shape()),
                                             " are no strings; they are read by tensor.data")},
                error);
  }
  const std::span<const std::string> strings = tensor.span<std::string>();
  *ret = list_of<engine_list_string_t>(strings.size());
  for (size_t i = 0; i < strings.size(); ++i) ret->ptr[i] = string_of(strings[i]);
  return true;
}

WitTensor exports_neuromancer_inference_inference_method_tensor_share(Self self) { return tensor_of(self->tensor); }

void exports_neuromancer_inference_inference_tensor_destructor(
    exports_neuromancer_inference_inference_tensor_t* tensor) {
  delete tensor;
}
