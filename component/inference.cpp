// Models, sessions and the build of the interface neuromancer:inference (component/wit); tensors are in values.cpp.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "component/values.h"
#include "engine/base/limits.h"
#include "engine/base/memory.h"
#include "engine/base/reserve.h"
#include "engine/base/selection.h"
#include "engine/base/text.h"
#include "engine/op/registry.h"
#include "engine/session/session.h"

using namespace nm;
using namespace nm::component;

struct exports_neuromancer_inference_inference_model_t {
  IncomingModel file;
  ExternalFiles external;
  ExternalFile* coming = nullptr;  // one of them; the model's file itself before
  Limits limits;
  Dimensions dimensions;
};

struct exports_neuromancer_inference_inference_session_t {
  std::unique_ptr<Session> session;
};

namespace {

using ArrivingModel = exports_neuromancer_inference_inference_model_t;
using WitModel = exports_neuromancer_inference_inference_own_model_t;
using WitSession = exports_neuromancer_inference_inference_own_session_t;
using WitInputs = exports_neuromancer_inference_inference_list_named_value_t;
using WitPort = exports_neuromancer_inference_inference_port_t;
using WitPorts = exports_neuromancer_inference_inference_list_port_t;
using WitDimension = exports_neuromancer_inference_inference_dimension_t;

bool succeed(const Status& status, WitError* error) { return status.ok() || fail(status, error); }

Status begin_external_file(ArrivingModel& model, std::string path, uint64_t size) {
  NM_TRY(refill_reserve());
  if (model.file.onnx() == nullptr) {
    return {Code::InvalidArgument,
            text("the model is packed and holds all of its weights; leave the external file '", path, "' out")};
  }
  if constexpr (selection::kReadsOnnx) {
    NM_ASSIGN(const onnx::ModelProto proto, onnx::read_model(model.file.onnx()->rest()));
    ExternalFile file(proto, path, size);
    model.coming = &model.external.insert_or_assign(std::move(path), std::move(file)).first->second;
  }
  return {};
}

Status set_limit(ArrivingModel& model, std::string_view name, uint64_t number) {
  uint64_t* limit = limit_by_name(model.limits, name);
  if (limit == nullptr) return {Code::InvalidArgument, text("there is no limit '", name, "'")};
  *limit = number;
  if (limit == &model.limits.bytes) limit_memory(number);  // memory has one owner, and loading takes it already
  return {};
}

Status set_dimension(ArrivingModel& model, std::string name, uint64_t number) {
  NM_TRY(refill_reserve());
  if (number > INT64_MAX) return {Code::InvalidArgument, text("the dimension '", name, "' cannot be ", number)};
  model.dimensions.insert_or_assign(std::move(name), static_cast<int64_t>(number));
  return {};
}

Result<std::unique_ptr<Session>> load(std::unique_ptr<ArrivingModel> model) {
  LoadOptions options;
  options.external = std::move(model->external);
  options.limits = model->limits;
  options.dimensions = std::move(model->dimensions);
  return Session::load(std::move(model->file), std::move(options));
}

// Every input that is not optional has to be there, so that nothing of an earlier run that failed is used; an optional
// one that is not is nothing.
Status check_given(Session& session, const WitInputs& given) {
  for (size_t i = 0; i < session.inputs().size(); ++i) {
    const Port& port = session.inputs()[i];
    const auto is_port = [&](const auto& each) { return text_of(each.name) == port.name; };
    if (std::any_of(given.ptr, given.ptr + given.len, is_port)) continue;
    if (port.type.kind != ValueType::Kind::Optional) {
      return {Code::MissingInput, text("input '", port.name, "' (", to_string(port.type), ") was not given")};
    }
    NM_TRY(session.set_input(i, Value()));
  }
  return {};
}

// The values given are all taken, also after a failure, since that uses them up.
Status give_inputs(Session& session, const WitInputs& given) {
  Status status = check_given(session, given);
  for (const auto& [name, value] : std::span(given.ptr, given.len)) {
    Result<Value> taken = take(value);
    if (!status.ok()) continue;
    if (!taken.ok()) {
      status = taken.take_status();
      continue;
    }
    const std::vector<Port>& inputs = session.inputs();
    const auto is_named = [name = text_of(name)](const Port& candidate) { return candidate.name == name; };
    const auto port = std::ranges::find_if(inputs, is_named);
    status = port == inputs.end() ? Status(Code::InvalidArgument, text("the model has no input '", text_of(name), "'"))
                                  : session.set_input(static_cast<size_t>(port - inputs.begin()), std::move(*taken));
  }
  return status;
}

Result<std::vector<WitValue>> outputs_of(Session& session) {
  NM_TRY(refill_reserve());
  std::vector<WitValue> values;
  Status status;
  for (size_t i = 0; i < session.outputs().size() && status.ok(); ++i) {
    Result<Value> output = session.take_output(i);
    Result<WitValue> value = output.ok() ? give(*output) : Result<WitValue>(output.take_status());
    if (value.ok()) {
      values.push_back(*value);
      status = check_memory();
    } else {
      status = value.take_status();
    }
  }
  if (status.ok()) return values;
  for (WitValue& value : values) exports_neuromancer_inference_inference_value_free(&value);
  return status;
}

Result<std::vector<WitValue>> run(Session& session, const WitInputs& given) {
  NM_TRY(give_inputs(session, given));
  NM_TRY(session.run());
  return outputs_of(session);
}

WitDimension dimension_of(int64_t dim, const SymbolTable& symbols) {
  WitDimension result = {};
  if (dim >= 0) {
    result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_DIMENSION_NUMBER;
    result.val.number = static_cast<uint64_t>(dim);
  } else if (const std::string_view name = symbols.name(dim); !name.empty()) {
    result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_DIMENSION_SYMBOL;
    result.val.symbol = string_of(name);
  } else {
    result.tag = EXPORTS_NEUROMANCER_INFERENCE_INFERENCE_DIMENSION_UNKNOWN;
  }
  return result;
}

WitPorts ports_of(const std::vector<Port>& ports, const SymbolTable& symbols) {
  const auto list = list_of<WitPorts>(ports.size());
  for (size_t i = 0; i < ports.size(); ++i) {
    const Port& port = ports[i];
    WitPort& to = list.ptr[i] = {};
    to.name = string_of(port.name);
    to.type = string_of(to_string(port.type));
    to.optional = port.type.kind == ValueType::Kind::Optional;
    to.shape.is_some = port.shape.has_value();
    if (!port.shape) continue;
    to.shape.val = list_of<decltype(to.shape.val)>(static_cast<size_t>(port.shape->rank()));
    std::ranges::transform(*port.shape, to.shape.val.ptr, [&](int64_t dim) { return dimension_of(dim, symbols); });
  }
  return list;
}

}  // namespace

bool exports_neuromancer_inference_inference_static_model_create(uint64_t size, WitModel* ret, WitError* error) {
  if (const Status s = refill_reserve(); !s.ok()) return fail(s, error);
  *ret = exports_neuromancer_inference_inference_model_new(new ArrivingModel{IncomingModel(size), {}, nullptr, {}, {}});
  return true;
}

bool exports_neuromancer_inference_inference_method_model_append(
    exports_neuromancer_inference_inference_borrow_model_t self, engine_list_u8_t* bytes, WitError* error) {
  const std::span<const uint8_t> piece(bytes->ptr, bytes->len);
  const bool external = selection::kReadsOnnx && self->coming != nullptr;
  Status status = refill_reserve();
  if (status.ok()) status = external ? self->coming->append(piece) : self->file.append(piece);
  engine_list_u8_free(bytes);
  return succeed(status, error);
}

bool exports_neuromancer_inference_inference_method_model_external_file(
    exports_neuromancer_inference_inference_borrow_model_t self, engine_string_t* path, uint64_t size,
    WitError* error) {
  const Status status = begin_external_file(*self, std::string(text_of(*path)), size);
  engine_string_free(path);
  return succeed(status, error);
}

bool exports_neuromancer_inference_inference_method_model_set_limit(
    exports_neuromancer_inference_inference_borrow_model_t self, engine_string_t* name, uint64_t* limit,
    WitError* error) {
  const Status status = set_limit(*self, text_of(*name), limit == nullptr ? kNoLimit : *limit);
  engine_string_free(name);
  return succeed(status, error);
}

bool exports_neuromancer_inference_inference_method_model_set_dimension(
    exports_neuromancer_inference_inference_borrow_model_t self, engine_string_t* name, uint64_t number,
    WitError* error) {
  const Status status = set_dimension(*self, std::string(text_of(*name)), number);
  engine_string_free(name);
  return succeed(status, error);
}

bool exports_neuromancer_inference_inference_static_session_load(WitModel model, WitSession* ret, WitError* error) {
  auto own = std::make_unique<ArrivingModel>(std::move(*exports_neuromancer_inference_inference_model_rep(model)));
  exports_neuromancer_inference_inference_model_drop_own(model);
  auto session = load(std::move(own));
  if (!session.ok()) return fail(session.status(), error);
  *ret = exports_neuromancer_inference_inference_session_new(
      new exports_neuromancer_inference_inference_session_t{std::move(*session)});
  return true;
}

void exports_neuromancer_inference_inference_method_session_describe(
    exports_neuromancer_inference_inference_borrow_session_t self,
    exports_neuromancer_inference_inference_description_t* ret) {
  const Session& session = *self->session;
  const ModelFacts& facts = session.facts();
  *ret = {};
  ret->name = string_of(facts.name);
  ret->producer = string_of(facts.producer);
  ret->opsets = list_of<decltype(ret->opsets)>(facts.opsets.size());
  for (size_t i = 0; i < facts.opsets.size(); ++i) {
    ret->opsets.ptr[i] = {string_of(facts.opsets[i].first), facts.opsets[i].second};
  }
  ret->metadata = list_of<decltype(ret->metadata)>(facts.metadata.size());
  for (size_t i = 0; i < facts.metadata.size(); ++i) {
    ret->metadata.ptr[i] = {string_of(facts.metadata[i].first), string_of(facts.metadata[i].second)};
  }
  ret->inputs = ports_of(facts.inputs, session.symbols());
  ret->outputs = ports_of(facts.outputs, session.symbols());
  ret->warnings = list_of<engine_list_string_t>(facts.warnings.size());
  std::ranges::transform(facts.warnings, ret->warnings.ptr, string_of);
  ret->nodes = static_cast<uint64_t>(facts.nodes);
  ret->weight_bytes = static_cast<uint64_t>(facts.weight_bytes);
}

bool exports_neuromancer_inference_inference_method_session_run(
    exports_neuromancer_inference_inference_borrow_session_t self, WitInputs* inputs, WitInputs* ret, WitError* error) {
  Session& session = *self->session;
  auto outputs = run(session, *inputs);
  // What is in the values has been taken.
  for (const auto& each : std::span(inputs->ptr, inputs->len)) {
    engine_string_t name = each.name;
    engine_string_free(&name);
  }
  std::free(inputs->ptr);
  if (!outputs.ok()) return fail(outputs.status(), error);
  *ret = list_of<WitInputs>(outputs->size());
  for (size_t i = 0; i < outputs->size(); ++i) {
    ret->ptr[i] = {string_of(session.outputs()[i].name), (*outputs)[i]};
  }
  return true;
}

void exports_neuromancer_inference_inference_build_info(exports_neuromancer_inference_inference_build_t* ret) {
  ret->version = string_of(NM_VERSION);
  ret->operators = static_cast<uint32_t>(Registry::instance().operator_count());
}

void exports_neuromancer_inference_inference_model_destructor(ArrivingModel* model) { delete model; }

void exports_neuromancer_inference_inference_session_destructor(
    exports_neuromancer_inference_inference_session_t* session) {
  delete session;
}
