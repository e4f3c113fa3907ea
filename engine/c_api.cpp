#include "engine/c_api.h"

#include <cstring>
#include <string>

#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/session/session.h"

struct nm_session {
  std::unique_ptr<nm::Session> session;
  bool finished = false;  // outputs may be read
  std::string steps;
  std::string memory;
};

namespace {

using nm::Code;
using nm::Status;

std::string& last_error() {
  static std::string text = "{}";
  return text;
}

nm::ExternalFiles& pending_files() {
  static nm::ExternalFiles files;
  return files;
}

// Remembers the failure and gives its negative code.
int32_t fail(const Status& status) {
  const nm::Error& e = status.error();
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

std::shared_ptr<void> own(uint8_t* bytes) {
  return std::shared_ptr<void>(bytes, [](void* p) { nm::release(p); });
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

nm::Result<nm::Tensor*> declare(nm_session* s, uint32_t index, int32_t dtype, const int64_t* dims, uint32_t rank) {
  s->finished = false;
  NM_ASSIGN(const nm::Shape shape, shape_of(dims, rank));
  if (!nm::dtype_valid(dtype)) return Status(Code::InvalidArgument, nm::text("there is no element type ", dtype));
  return s->session->input(index, static_cast<nm::DType>(dtype), shape);
}

nm::Result<const nm::Value*> finished_output(nm_session* s, uint32_t index) {
  if (!s->finished) return Status(Code::InvalidArgument, "outputs can be read only after a finished run");
  if (index >= s->session->outputs().size()) {
    return Status(Code::InvalidArgument, nm::text("the model has no output with index ", index));
  }
  return &s->session->output(index);
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
    json.member("operators", static_cast<int64_t>(nm::Registry::instance().entries().size()));
    return json.end_object().take();
  }();
  return info.c_str();
}

void* nm_alloc(size_t bytes) { return nm::allocate(bytes); }
void nm_free(void* pointer) { nm::release(pointer); }

const char* nm_last_error(void) { return last_error().c_str(); }

int32_t nm_external_data(const char* path, uint8_t* bytes, size_t size) {
  pending_files()[path] = {own(bytes), nm::onnx::Bytes(bytes, size)};
  return 0;
}

nm_session* nm_load(uint8_t* bytes, size_t size, uint32_t flags) {
  nm::LoadOptions options;
  options.optimize = (flags & NM_LOAD_UNOPTIMIZED) == 0;
  options.external = std::move(pending_files());
  pending_files().clear();
  auto session = nm::Session::load(own(bytes), nm::onnx::Bytes(bytes, size), options);
  if (!session.ok()) {
    fail(session.status());
    return nullptr;
  }
  return new nm_session{std::move(*session), false, {}, {}};
}

void nm_release(nm_session* session) { delete session; }

const char* nm_describe(nm_session* session) { return session->session->description().c_str(); }

void* nm_input(nm_session* session, uint32_t index, int32_t dtype, const int64_t* dims, uint32_t rank) {
  if (dtype == static_cast<int32_t>(nm::DType::String)) {
    fail(Status(Code::InvalidArgument, "a string tensor is given with nm_input_strings"));
    return nullptr;
  }
  auto tensor = declare(session, index, dtype, dims, rank);
  if (tensor.ok()) return (*tensor)->raw();
  fail(tensor.status());
  return nullptr;
}

int32_t nm_input_strings(nm_session* session, uint32_t index, const int64_t* dims, uint32_t rank, const char* text,
                         const uint32_t* ends) {
  auto tensor = declare(session, index, static_cast<int32_t>(nm::DType::String), dims, rank);
  if (!tensor.ok()) return fail(tensor.status());
  auto* strings = (*tensor)->data<std::string>();
  uint32_t begin = 0;
  for (int64_t i = 0; i < (*tensor)->count(); ++i) {
    if (ends[i] < begin) return fail(Status(Code::InvalidArgument, "the strings' end offsets must not decrease"));
    strings[i].assign(text + begin, ends[i] - begin);
    begin = ends[i];
  }
  return 0;
}

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

const char* nm_steps(nm_session* session) {
  session->steps = session->session->steps_json();
  return session->steps.c_str();
}

int32_t nm_output(nm_session* session, uint32_t index, nm_tensor* out) {
  *out = {};
  auto value = finished_output(session, index);
  if (!value.ok()) return fail(value.status());
  if ((*value)->empty()) return 0;
  const nm::Tensor* t = (*value)->tensor();
  if (t == nullptr) {
    return fail(Status(Code::TypeMismatch, nm::text("output '", session->session->outputs()[index].name,
                                                    "' is not a tensor; read it as the sequence or map it is")));
  }
  out->dtype = static_cast<int32_t>(t->dtype());
  out->rank = static_cast<uint32_t>(t->rank());
  out->dims = t->shape().data();
  out->data = t->dtype() == nm::DType::String ? nullptr : t->raw();
  out->byte_length = t->dtype() == nm::DType::String ? 0 : t->bytes();
  return 0;
}

int32_t nm_output_string(nm_session* session, uint32_t index, uint32_t element, const char** text) {
  auto value = finished_output(session, index);
  if (!value.ok()) return fail(value.status());
  const nm::Tensor* t = (*value)->tensor();
  if (t == nullptr || t->dtype() != nm::DType::String || element >= t->count()) {
    return fail(Status(Code::InvalidArgument, nm::text("output ", index, " has no string ", element)));
  }
  const std::string& s = t->data<std::string>()[element];
  *text = s.data();
  return static_cast<int32_t>(s.size());
}

void nm_cancel(nm_session* session) { session->session->cancel(); }

const char* nm_memory(nm_session* session) {
  session->memory = session->session->memory_json();
  return session->memory.c_str();
}

int32_t nm_set_threads(uint32_t count) {
  if (count == 0 || count > 256) {
    return fail(Status(Code::InvalidArgument, nm::text("a thread count of ", count, " was given; use 1 to 256")));
  }
  nm::ThreadPool::instance().set_size(static_cast<int>(count));
  return 0;
}

}  // extern "C"
