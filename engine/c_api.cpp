#include "engine/c_api.h"

#include <cmath>
#include <cstring>
#include <string>

#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/memory.h"
#include "engine/base/reserve.h"
#include "engine/base/selection.h"
#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/op/custom.h"
#include "engine/op/registry.h"
#include "engine/session/session.h"
#include "engine/tensor/edition.h"
#include "engine/tensor/element.h"
#include "engine/tensor/growing.h"

struct nm_model {
  nm::IncomingModel file;
  nm::ExternalFiles external;
  nm::ExternalFile* coming = nullptr;  // one of them; the model's file itself before
  nm::Limits limits;
  nm::Dimensions dimensions;
  std::vector<nm::CustomOperator> custom;
};

struct nm_session {
  std::unique_ptr<nm::Session> session;
  bool finished = false;  // outputs may be read
  std::string steps;
  std::string memory;
};

namespace {

using nm::Code;
using nm::Status;

constexpr bool same(nm_code code, Code own) { return static_cast<int>(code) == static_cast<int>(own); }
static_assert(same(NM_CODE_OK, Code::Ok) && same(NM_CODE_INVALID_MODEL, Code::InvalidModel) &&
              same(NM_CODE_UNSUPPORTED_OPERATOR, Code::UnsupportedOperator) &&
              same(NM_CODE_INVALID_ARGUMENT, Code::InvalidArgument) &&
              same(NM_CODE_MISSING_INPUT, Code::MissingInput) && same(NM_CODE_TYPE_MISMATCH, Code::TypeMismatch) &&
              same(NM_CODE_SHAPE_MISMATCH, Code::ShapeMismatch) && same(NM_CODE_OUT_OF_MEMORY, Code::OutOfMemory) &&
              same(NM_CODE_CANCELLED, Code::Cancelled) && same(NM_CODE_INVALID_DATA, Code::InvalidData) &&
              same(NM_CODE_INTERNAL, Code::Internal) && same(NM_CODE_LIMIT_EXCEEDED, Code::LimitExceeded));

std::string& last_error() {
  static std::string text = "{}";
  return text;
}

// What can be said without taking memory.
constexpr char kExhausted[] =
    R"({"code":"out_of_memory","message":"there is no memory left; use smaller inputs or release other sessions"})";
bool nothing_left = false;

// Remembers the failure and gives its negative code.
int32_t fail(const Status& status) {
  const nm::Error& e = status.error();
  // The text takes memory too, which may be there again, now that the work has given up its own.
  nothing_left = nm::memory_exhausted() && !nm::refill_reserve().ok();
  if (nothing_left) return -static_cast<int32_t>(Code::OutOfMemory);
  nm::JsonWriter json;
  json.begin_object().member("code", nm::code_name(e.code)).member("message", e.message);
  const auto optional = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) json.member(key, value);
  };
  optional("operator", e.op);
  optional("node", e.node);
  optional("input", e.input);
  optional("expected", e.expected);
  optional("actual", e.actual);
  last_error() = json.end_object().take();
  return -static_cast<int32_t>(e.code);
}

nm::LoadOptions load_options(nm_model& model, uint32_t flags) {
  nm::LoadOptions options;
  options.optimize = (flags & NM_LOAD_UNOPTIMIZED) == 0;
  options.external = std::move(model.external);
  options.limits = model.limits;
  options.dimensions = std::move(model.dimensions);
  options.custom = std::move(model.custom);
  return options;
}

nm::Result<nm::packed::WriteOptions> pack_options(uint32_t flags) {
  using nm::packed::Weights;
  nm::packed::WriteOptions options{(flags & NM_PACK_STRIPPED) == 0, Weights::Float32};
  switch (flags & (NM_PACK_FLOAT16 | NM_PACK_INT8 | NM_PACK_INT4)) {
    case 0:
      return options;
    case NM_PACK_FLOAT16:
      options.weights = Weights::Float16;
      return options;
    case NM_PACK_INT8:
      options.weights = Weights::Int8;
      return options;
    case NM_PACK_INT4:
      options.weights = Weights::Int4;
      return options;
    default:
      return Status(Code::InvalidArgument, "weights can be packed in one form only: float16, int8 or int4");
  }
}

nm::Result<nm::Shape> shape_of(const int64_t* dims, uint32_t rank) {
  if (rank > static_cast<uint32_t>(nm::kMaxRank)) {
    return Status(Code::InvalidArgument, nm::text("a tensor of rank ", rank, " was given; at most ", nm::kMaxRank,
                                                  " dimensions are supported"));
  }
  nm::Shape shape;
  for (uint32_t i = 0; i < rank; ++i) {
    if (dims[i] < 0) return Status(Code::InvalidArgument, nm::text("a dimension of ", dims[i], " was given"));
    shape.push_back(dims[i]);
  }
  return shape;
}

nm::Result<nm::DType> dtype_of(int32_t number) {
  if (!nm::dtype_valid(number)) return Status(Code::InvalidArgument, nm::text("there is no element type ", number));
  return static_cast<nm::DType>(number);
}

nm::Result<nm::Tensor*> declare(nm_session* s, uint32_t index, int32_t dtype, const int64_t* dims, uint32_t rank) {
  s->finished = false;
  NM_ASSIGN(const nm::Shape shape, shape_of(dims, rank));
  NM_ASSIGN(const nm::DType type, dtype_of(dtype));
  return s->session->input(index, type, shape);
}

Status check_output(const nm_session& s, uint32_t index) {
  if (index < s.session->outputs().size()) return {};
  return {Code::InvalidArgument, nm::text("the model has no output with index ", index)};
}

nm::Result<const nm::Value*> finished_output(nm_session* s, uint32_t index) {
  if (!s->finished) return Status(Code::InvalidArgument, "outputs can be read only after a finished run");
  NM_TRY(check_output(*s, index));
  return &s->session->output(index);
}

Status declare_custom(nm_model& model, std::string_view domain, std::string_view name, const int32_t* types,
                      const int32_t* like, uint32_t count) {
  NM_TRY(nm::refill_reserve());
  if constexpr (!nm::selection::kCustomOperators) {
    return {Code::UnsupportedOperator, "a reduced build has no custom operators; use the whole module"};
  }
  nm::CustomOperator custom{std::string(domain == "ai.onnx" ? "" : domain), std::string(name), {}};
  bool fits = !name.empty();
  for (const nm::CustomOperator& other : model.custom) {
    if (other.domain == custom.domain && other.name == custom.name) fits = false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    if ((types[i] != 0 && !nm::dtype_valid(types[i])) || like[i] < -1) fits = false;
    custom.outputs.push_back({static_cast<nm::DType>(types[i]), like[i]});
  }
  if (!fits) {
    return {Code::InvalidArgument, nm::text("the custom operator '", name,
                                            "' is declared twice, or without a name, or with a type or an input that "
                                            "there is none of")};
  }
  model.custom.push_back(std::move(custom));
  return {};
}

// Values cross the boundary as pointers to the engine's own.
const nm::Value& inside(const nm_value* v) { return *reinterpret_cast<const nm::Value*>(v); }
const nm_value* outside(const nm::Value* v) { return reinterpret_cast<const nm_value*>(v); }
using Owned = std::unique_ptr<nm::Value>;
Owned take(nm_value* v) { return Owned(reinterpret_cast<nm::Value*>(v)); }

nm_value* hand_over(nm::Result<nm::Value> v) {
  if (v.ok() && nm::memory_exhausted()) v = nm::check_memory();
  if (v.ok()) return reinterpret_cast<nm_value*>(new nm::Value(std::move(*v)));
  fail(v.status());
  return nullptr;
}

nm::Result<nm::Value> new_tensor(int32_t dtype, const int64_t* dims, uint32_t rank) {
  NM_TRY(nm::refill_reserve());
  NM_ASSIGN(const nm::Shape shape, shape_of(dims, rank));
  NM_ASSIGN(const nm::DType type, dtype_of(dtype));
  NM_ASSIGN(nm::Tensor tensor, nm::Tensor::create(type, shape));
  return nm::Value(std::move(tensor));
}

nm::Result<nm::Value> new_strings(const int64_t* dims, uint32_t rank, const char* text, const uint32_t* ends) {
  NM_ASSIGN(nm::Value value, new_tensor(static_cast<int32_t>(nm::DType::String), dims, rank));
  const auto count = static_cast<size_t>(value.tensor()->count());
  if (count > 0) NM_TRY(nm::room_for("strings", nm::Size(ends[count - 1])));
  uint32_t begin = 0;
  for (std::string& s : value.tensor()->span<std::string>()) {
    if (*ends < begin) return Status(Code::InvalidArgument, "the strings' end offsets must not decrease");
    s.assign(text + begin, *ends - begin);
    begin = *ends++;
  }
  return value;
}

// What others than the next run read has its elements one after the other.
Status settle(nm::Value& value) {
  if (value.tensor() != nullptr || value.shape() == nullptr) return {};
  NM_ASSIGN(value, nm::dense(value));
  return {};
}

// What calls say that a reduced build has no use for.
[[maybe_unused]] Status left_out(std::string_view what) {
  return {Code::UnsupportedOperator, nm::text("this reduced build has no ", what, "; ", nm::selection::kRemedy)};
}

nm::Result<nm::Value> new_sequence(nm_value* const* items, uint32_t count) {
  Status s = nm::refill_reserve();
  if constexpr (!nm::selection::has<nm::selection::Part::OtherValues>) s = left_out("sequences");
  auto sequence = std::make_shared<nm::Sequence>();
  for (uint32_t i = 0; i < count; ++i) {
    const Owned item = take(items[i]);  // all of them, also after a failure
    if (!nm::selection::has<nm::selection::Part::OtherValues> || !item || !s.ok()) continue;
    if (s = settle(*item); !s.ok()) continue;
    sequence->items.push_back(*item);
    s = nm::check_memory();
  }
  NM_TRY(std::move(s));
  if (!sequence->items.empty()) sequence->element = nm::type_of(sequence->items[0]);
  return nm::Value(std::shared_ptr<const nm::Sequence>(std::move(sequence)));
}

nm::Result<nm::Value> new_map(const Owned& keys, const Owned& values) {
  if constexpr (!nm::selection::has<nm::selection::Part::OtherValues>) return left_out("maps");
  const nm::Tensor* k = keys ? keys->tensor() : nullptr;
  const nm::Tensor* v = values ? values->tensor() : nullptr;
  if (k == nullptr || v == nullptr || k->rank() != 1 || !(k->shape() == v->shape())) {
    return Status(Code::InvalidArgument, "a map is made of two tensors of one dimension and the same length");
  }
  if (nm::is_float(k->dtype()) || nm::is_packed(k->dtype()) || nm::is_packed(v->dtype())) {
    return Status(Code::InvalidArgument,
                  nm::text("there are no maps from ", nm::dtype_name(k->dtype()), " to ", nm::dtype_name(v->dtype())));
  }
  NM_TRY(nm::refill_reserve());
  auto map = std::make_shared<nm::Map>();
  map->keys = *k;
  map->values = *v;
  return nm::Value(std::shared_ptr<const nm::Map>(std::move(map)));
}

nm::Result<nm::Stored> stored_as(int32_t dtype) {
  switch (dtype) {
    case 0:
      return nm::Stored::F32;
    case NM_DTYPE_FLOAT16:
      return nm::Stored::F16;
    case NM_DTYPE_INT8:
      return nm::Stored::I8;
    default:
      return Status(Code::InvalidArgument,
                    nm::text("a cache cannot be stored as type ", dtype, "; give 0, float16 (10) or int8 (3)"));
  }
}

nm::Result<nm::Value> shortened(const nm::Value& value, uint32_t axis, double length) {
  if constexpr (!nm::selection::has<nm::selection::Part::States>) return left_out("states");
  NM_TRY(nm::refill_reserve());
  const nm::Shape* shape = value.shape();
  if (shape == nullptr) return Status(Code::InvalidArgument, "the value is not a tensor");
  const nm::DType type = nm::type_of(value).dtype;
  const std::string what = nm::describe(type, *shape);
  if (type == nm::DType::String || nm::is_packed(type)) {
    return Status(Code::TypeMismatch, nm::text("a tensor ", what, " cannot be shortened"));
  }
  const bool is_axis = axis < static_cast<uint32_t>(shape->rank());
  const double dim = is_axis ? static_cast<double>((*shape)[static_cast<int>(axis)]) : -1;
  if (!(length >= 0) || length > dim || length != std::floor(length)) {
    return Status(Code::InvalidArgument,
                  nm::text("a tensor ", what, " has no ", length, " positions along axis ", axis));
  }
  NM_ASSIGN(std::shared_ptr<const nm::Growing> shorter,
            nm::Growing::shorten(value, static_cast<int>(axis), static_cast<int64_t>(length)));
  return nm::Value(std::move(shorter));
}

// The tensor that a value is, or one of the two that a map is made of.
nm::Result<const nm::Tensor*> part_of(const nm_value* value, uint32_t part) {
  nm::Value& v = const_cast<nm::Value&>(inside(value));  // the same elements, elsewhere
  NM_TRY(settle(v));
  if (v.tensor() != nullptr && part == 0) return v.tensor();
  if (v.map() != nullptr && part < 2) return part == 0 ? &v.map()->keys : &v.map()->values;
  return Status(Code::InvalidArgument, nm::text("the value has no tensor ", part));
}

}  // namespace

extern "C" {

const char* nm_build_info(void) {
  static const std::string info = [] {
    nm::JsonWriter json;
    json.begin_object().member("version", NM_VERSION).member("artefact", NM_ARTEFACT);
    json.member("isa", nm::kernels().isa);
#if defined(__wasm__) && !defined(__wasm_atomics__)
    json.member("threads", false);
#else
    json.member("threads", true);
#endif
    json.member("operators", static_cast<int64_t>(nm::Registry::instance().operator_count()));
    return json.end_object().take();
  }();
  return info.c_str();
}

void* nm_alloc(size_t bytes) { return nm::allocate(nm::Size(bytes)); }
void nm_free(void* pointer) { nm::release(pointer); }

const char* nm_last_error(void) { return nothing_left ? kExhausted : last_error().c_str(); }

nm_model* nm_new_model(size_t size) {
  if (const Status s = nm::refill_reserve(); !s.ok()) {
    fail(s);
    return nullptr;
  }
  return new nm_model{nm::IncomingModel(size), {}, nullptr, {}, {}, {}};
}

int32_t nm_model_bytes(nm_model* model, const uint8_t* bytes, size_t count) {
  if (const Status s = nm::refill_reserve(); !s.ok()) return fail(s);
  const nm::onnx::Bytes piece(bytes, count);
  const bool external = nm::selection::kReadsOnnx && model->coming != nullptr;
  const Status s = external ? model->coming->append(piece) : model->file.append(piece);
  return s.ok() ? 0 : fail(s);
}

int32_t nm_limit(nm_model* model, const char* name, double value) {
  uint64_t* limit = nm::limit_by_name(model->limits, name);
  if (limit == nullptr || std::isnan(value)) {
    return fail(Status(Code::InvalidArgument, nm::text("there is no limit '", name, "' that could be ", value)));
  }
  *limit = value < 0 || value >= 0x1p63 ? nm::kNoLimit : static_cast<uint64_t>(value);
  if (limit == &model->limits.bytes) nm::limit_memory(*limit);  // memory has one owner, and loading takes it already
  return 0;
}

int32_t nm_dimension(nm_model* model, const char* name, double number) {
  if (const Status s = nm::refill_reserve(); !s.ok()) return fail(s);
  if (!(number >= 0 && number < 0x1p53) || number != std::floor(number)) {
    return fail(Status(Code::InvalidArgument, nm::text("the dimension '", name, "' cannot be ", number)));
  }
  model->dimensions.insert_or_assign(name, static_cast<int64_t>(number));
  return 0;
}

int32_t nm_custom_operator(nm_model* model, const char* domain, const char* name, const int32_t* types,
                           const int32_t* like, uint32_t count) {
  const Status s = declare_custom(*model, domain, name, types, like, count);
  return s.ok() ? 0 : fail(s);
}

int32_t nm_external_file(nm_model* model, const char* path, size_t size) {
  if (const Status s = nm::refill_reserve(); !s.ok()) return fail(s);
  if (model->file.onnx() == nullptr) {
    return fail(Status(Code::InvalidArgument, nm::text("the model is packed and holds all of its weights; leave the "
                                                       "external file '",
                                                       path, "' out")));
  }
  if constexpr (nm::selection::kReadsOnnx) {
    const auto read = nm::onnx::read_model(model->file.onnx()->rest());
    if (!read.ok()) return fail(read.status());
    nm::ExternalFile file(*read, path, size);
    model->coming = &model->external.insert_or_assign(path, std::move(file)).first->second;
  }
  return 0;
}

void nm_free_model(nm_model* model) { delete model; }

nm_session* nm_load(nm_model* model, uint32_t flags) {
  const std::unique_ptr<nm_model> owned(model);
  auto session = nm::Session::load(std::move(owned->file), load_options(*owned, flags));
  if (!session.ok()) {
    fail(session.status());
    return nullptr;
  }
  return new nm_session{std::move(*session), false, {}, {}};
}

nm_value* nm_pack(nm_model* model, uint32_t flags) {
  const std::unique_ptr<nm_model> owned(model);
  auto options = pack_options(flags);
  if (!options.ok()) return hand_over(options.take_status());
  auto packed = nm::pack_model(std::move(owned->file), load_options(*owned, flags), *options);
  return hand_over(packed.ok() ? nm::Result<nm::Value>(std::move(*packed)) : packed.take_status());
}

void nm_release(nm_session* session) { delete session; }

const char* nm_describe(nm_session* session) { return session->session->description().c_str(); }

void* nm_input(nm_session* session, uint32_t index, int32_t dtype, const int64_t* dims, uint32_t rank) {
  if (dtype == static_cast<int32_t>(nm::DType::String)) {
    fail(Status(Code::InvalidArgument, "a string tensor is made by nm_new_strings and given with nm_input_value"));
    return nullptr;
  }
  auto tensor = declare(session, index, dtype, dims, rank);
  if (tensor.ok()) return (*tensor)->raw();
  fail(tensor.status());
  return nullptr;
}

int32_t nm_input_value(nm_session* session, uint32_t index, nm_value* value) {
  const Owned owned = take(value);
  session->finished = false;
  const Status s = session->session->set_input(index, owned ? std::move(*owned) : nm::Value());
  return s.ok() ? 0 : fail(s);
}

nm_value* nm_new_tensor(int32_t dtype, const int64_t* dims, uint32_t rank) {
  return hand_over(new_tensor(dtype, dims, rank));
}

nm_value* nm_new_strings(const int64_t* dims, uint32_t rank, const char* text, const uint32_t* ends) {
  return hand_over(new_strings(dims, rank, text, ends));
}

nm_value* nm_new_sequence(nm_value* const* items, uint32_t count) { return hand_over(new_sequence(items, count)); }

nm_value* nm_new_map(nm_value* keys, nm_value* values) { return hand_over(new_map(take(keys), take(values))); }

void nm_free_value(nm_value* value) { take(value); }

int32_t nm_run(nm_session* session) {
  session->finished = false;
  if (const Status s = session->session->run(); !s.ok()) return fail(s);
  session->finished = true;
  return 0;
}

int32_t nm_run_begin(nm_session* session) {
  session->finished = false;
  const Status s = session->session->begin();
  return s.ok() ? 0 : fail(s);
}

int32_t nm_run_steps(nm_session* session, uint32_t count) {
  auto left = session->session->advance(count);
  if (!left.ok()) return fail(left.status());
  session->finished = *left == 0;
  return static_cast<int32_t>(*left);
}

const char* nm_waiting(nm_session* session) {
  const nm::CustomCall* call = session->session->waiting();
  return call == nullptr ? nullptr : call->description().c_str();
}

const nm_value* nm_waiting_attribute(nm_session* session, uint32_t index) {
  const nm::CustomCall* call = session->session->waiting();
  return call == nullptr ? nullptr : outside(call->attribute(index));
}

const nm_value* nm_waiting_input(nm_session* session, uint32_t index) {
  const nm::CustomCall* call = session->session->waiting();
  return call == nullptr ? nullptr : outside(call->input(index));
}

int32_t nm_give_output(nm_session* session, uint32_t index, nm_value* value) {
  const Owned owned = take(value);
  nm::CustomCall* call = session->session->waiting();
  Status s = nm::refill_reserve();
  if (s.ok() && call == nullptr) s = {Code::InvalidArgument, "the run waits for no custom operator"};
  if (s.ok() && owned) s = settle(*owned);
  if (s.ok()) s = call->give(index, owned ? std::move(*owned) : nm::Value());
  return s.ok() ? 0 : fail(s);
}

const char* nm_steps(nm_session* session) {
  session->steps = session->session->steps_json();
  return session->steps.c_str();
}

const nm_value* nm_step_value(nm_session* session, uint32_t step, uint32_t output) {
  return outside(session->session->step_value(step, output));
}

const nm_value* nm_output(nm_session* session, uint32_t index) {
  auto value = finished_output(session, index);
  if (value.ok()) return outside(*value);
  fail(value.status());
  return nullptr;
}

nm_value* nm_take_output(nm_session* session, uint32_t index) {
  if (Status s = nm::refill_reserve(); !s.ok()) return hand_over(std::move(s));
  auto value = finished_output(session, index);
  return hand_over(value.ok() ? session->session->take_output(index) : value.take_status());
}

int32_t nm_keep_output(nm_session* session, uint32_t index, int32_t dtype) {
  if (const Status s = check_output(*session, index); !s.ok()) return fail(s);
  const auto stored = stored_as(dtype);
  if (!stored.ok()) return fail(stored.status());
  session->finished = false;
  session->session->keep_output(index, *stored);
  return 0;
}

int32_t nm_want_output(nm_session* session, uint32_t index, int32_t wanted) {
  if (const Status s = check_output(*session, index); !s.ok()) return fail(s);
  session->session->want_output(index, wanted != 0);
  return 0;
}

nm_value* nm_share_value(const nm_value* value) {
  if (Status s = nm::refill_reserve(); !s.ok()) return hand_over(std::move(s));
  return hand_over(inside(value));
}

nm_value* nm_shorten_value(const nm_value* value, uint32_t axis, double length) {
  return hand_over(shortened(inside(value), axis, length));
}

int32_t nm_value_kind(const nm_value* value) {
  const nm::Value& v = inside(value);
  return v.shape() ? NM_KIND_TENSOR : v.sequence() ? NM_KIND_SEQUENCE : v.map() ? NM_KIND_MAP : NM_KIND_NOTHING;
}

int32_t nm_value_count(const nm_value* value) {
  const nm::Sequence* s = inside(value).sequence();
  return s == nullptr ? fail(Status(Code::InvalidArgument, "the value is not a sequence"))
                      : static_cast<int32_t>(s->items.size());
}

const nm_value* nm_value_item(const nm_value* value, uint32_t item) {
  const nm::Sequence* s = inside(value).sequence();
  if (s != nullptr && item < s->items.size()) return outside(&s->items[item]);
  fail(Status(Code::InvalidArgument, nm::text("the value has no item ", item)));
  return nullptr;
}

int32_t nm_value_tensor(const nm_value* value, uint32_t part, nm_tensor* out) {
  *out = {};
  auto tensor = part_of(value, part);
  if (!tensor.ok()) return fail(tensor.status());
  const nm::Tensor& t = **tensor;
  const bool strings = t.dtype() == nm::DType::String;
  out->dtype = static_cast<int32_t>(t.dtype());
  out->rank = static_cast<uint32_t>(t.rank());
  out->dims = t.shape().data();
  out->data = strings ? nullptr : const_cast<void*>(t.raw());
  out->byte_length = strings ? 0 : t.bytes();
  return 0;
}

int32_t nm_value_shape(const nm_value* value, uint32_t part, nm_tensor* out) {
  const nm::Value& v = inside(value);
  if (v.shape() == nullptr || part != 0) {
    if (const int32_t code = nm_value_tensor(value, part, out); code != 0) return code;
  } else {
    *out = {};
    out->dtype = static_cast<int32_t>(nm::type_of(v).dtype);
    out->rank = static_cast<uint32_t>(v.shape()->rank());
    out->dims = v.shape()->data();
  }
  out->data = nullptr;
  out->byte_length = 0;
  return 0;
}

int32_t nm_value_string(const nm_value* value, uint32_t part, uint32_t element, const char** text) {
  auto tensor = part_of(value, part);
  if (!tensor.ok()) return fail(tensor.status());
  const nm::Tensor& t = **tensor;
  if (t.dtype() != nm::DType::String || element >= t.count()) {
    return fail(Status(Code::InvalidArgument, nm::text("the value has no string ", element)));
  }
  const std::string& s = t.data<std::string>()[element];
  *text = s.data();
  return static_cast<int32_t>(s.size());
}

void nm_cancel(nm_session* session) { session->session->cancel_flag().store(1, std::memory_order_relaxed); }

int32_t* nm_cancel_flag(nm_session* session) {
  // A lock-free atomic of 32 bits has the form of the integer itself.
  static_assert(std::atomic<int32_t>::is_always_lock_free && sizeof(std::atomic<int32_t>) == sizeof(int32_t));
  return reinterpret_cast<int32_t*>(&session->session->cancel_flag());
}

int32_t nm_exhausted(void) { return nm::memory_exhausted() ? 1 : 0; }

void nm_trim(nm_session* session) {
  session->finished = false;
  session->session->trim();
}

const char* nm_memory(nm_session* session) {
  session->memory = session->session->memory_json();
  return session->memory.c_str();
}

int32_t nm_set_threads(uint32_t count) {
  if (count == 0 || count > 256) {
    return fail(Status(Code::InvalidArgument, nm::text("a thread count of ", count, " was given; use 1 to 256")));
  }
  nm::thread_pool::set_size(static_cast<int>(count));
  return 0;
}

}  // extern "C"
