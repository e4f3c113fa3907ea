// CastMap and DictVectorizer of ai.onnx.ml: a map's values in a row of a tensor.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/dictionary.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

constexpr int64_t kLongest = 1 << 28;

class MapToTensor : public Operator {
 protected:
  // The input is a map, as far as is known, with keys of this type.
  static Status check_map(const Inference& inference, DType keys) {
    if (!inference.has(0)) return {Code::MissingInput, "input 0 is missing; the operator needs a map there"};
    const ValueType& t = inference.value_type(0);
    if (t.is_tensor() && t.dtype == DType::Undefined) return {};
    if (t.kind == ValueType::Kind::Map && t.dtype == keys) return {};
    const std::string expected = text("map(", dtype_name(keys), ",…)");
    return Status(Code::TypeMismatch, text("the input has type ", to_string(t), "; expected ", expected))
        .about("input 0", expected, to_string(t));
  }

  // Value i goes to column places[i], unless that is -1; other columns hold 0 or an empty text.
  static Status place(Execution& execution, const Tensor& values, const int64_t* places, int64_t columns) {
    NM_ASSIGN(Tensor * out, execution.allocate(0, values.dtype(), {1, columns}));
    with_element(values.dtype(), [&]<class T>() {
      const T* from = static_cast<const T*>(values.raw());
      T* to = static_cast<T*>(out->raw());
      std::fill_n(to, columns, T());
      for (int64_t i = 0; i < values.count(); ++i) {
        if (places[i] >= 0) to[places[i]] = from[i];
      }
    });
    return {};
  }
};

class CastMap final : public MapToTensor {
 public:
  explicit CastMap(Attributes& a) : columns_(a.integer("max_map", 1)) {
    const std::string to = a.string("cast_to", "TO_FLOAT");
    const std::string form = a.string("map_form", "DENSE");
    if (to != "TO_FLOAT" && to != "TO_STRING" && to != "TO_INT64") {
      a.fail(text("the attribute 'cast_to' is '", to, "'; it must be TO_FLOAT, TO_STRING or TO_INT64"));
    }
    if (form != "DENSE" && form != "SPARSE") {
      a.fail(text("the attribute 'map_form' is '", form, "'; it must be DENSE or SPARSE"));
    }
    type_ = to == "TO_FLOAT" ? DType::Float32 : to == "TO_STRING" ? DType::String : DType::Int64;
    sparse_ = form == "SPARSE";
    if (sparse_ && (columns_ < 1 || columns_ > kLongest)) a.fail(text("max_map is ", columns_));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_map(inference, DType::Int64));
    inference.output(0, type_);
    return {};
  }

  Status run(Execution& execution) override {
    const Map* map = execution.input_value(0).map();
    if (map == nullptr) return {Code::TypeMismatch, "input 0 holds no map"};
    const int64_t count = map->keys.count();
    NM_ASSIGN(Tensor values, Tensor::create(type_, {count}));
    NM_TRY(cast(map->values, values));
    const int64_t* keys = map->keys.data<int64_t>();
    std::vector<int64_t> places(keys, keys + count);
    if (!sparse_) {  // the place is how many keys are smaller
      std::vector<int64_t> sorted = places;
      std::sort(sorted.begin(), sorted.end());
      for (int64_t& p : places) p = std::lower_bound(sorted.begin(), sorted.end(), p) - sorted.begin();
    } else if (std::any_of(places.begin(), places.end(), [&](int64_t p) { return p < 0 || p >= columns_; })) {
      return {Code::InvalidData, text("a key of the map is outside the ", columns_, " that max_map allows, from 0 on")};
    }
    return place(execution, values, places.data(), sparse_ ? columns_ : count);
  }

 private:
  int64_t columns_;
  DType type_;
  bool sparse_;
};

class DictVectorizer final : public MapToTensor {
 public:
  explicit DictVectorizer(Attributes& a)
      : vocabulary_(a.has("string_vocabulary") ? list_tensor(a, a.strings("string_vocabulary"))
                                               : list_tensor(a, a.integers("int64_vocabulary"))) {
    if (vocabulary_.size() == 0) a.fail("the operator has no vocabulary");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_map(inference, vocabulary_.dtype()));
    const ValueType& t = inference.value_type(0);
    if (t.kind == ValueType::Kind::Map && t.element && t.element->is_tensor()) inference.output(0, t.element->dtype);
    return {};
  }

  Status run(Execution& execution) override {
    const Map* map = execution.input_value(0).map();
    if (map == nullptr) return {Code::TypeMismatch, "input 0 holds no map"};
    std::vector<int64_t> places(static_cast<size_t>(map->keys.count()));
    vocabulary_.find(map->keys, places.data());
    return place(execution, map->values, places.data(), vocabulary_.size());
  }

 private:
  Dictionary vocabulary_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<CastMap>(kMlDomain, "CastMap", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry_in<DictVectorizer>(kMlDomain, "DictVectorizer", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(map_to_tensor, kEntries)

}  // namespace nm
