#include "engine/session/session.h"

#include <algorithm>

#include "engine/base/json.h"
#include "engine/session/blame_memory.h"

namespace nm {
namespace {

void write_shape(JsonWriter& json, const Shape& shape, const SymbolTable& symbols) {
  json.key("shape").begin_array();
  for (const int64_t d : shape) {
    if (d >= 0) {
      json.value(d);
    } else if (const std::string_view name = symbols.name(d); !name.empty()) {
      json.value(name);
    } else {
      json.null();
    }
  }
  json.end_array();
}

void write_ports(JsonWriter& json, std::string_view key, const std::vector<Session::Port>& list,
                 const SymbolTable& symbols) {
  json.key(key).begin_array();
  for (const Session::Port& p : list) {
    json.begin_object().member("name", p.name).member("type", to_string(p.type));
    if (p.shape) write_shape(json, *p.shape, symbols);
    json.member("optional", p.type.kind == ValueType::Kind::Optional).end_object();
  }
  json.end_array();
}

bool tensor_fits(DType dtype, const ValueType& type) {
  return type.is_tensor() && (type.dtype == DType::Undefined || type.dtype == dtype);
}

bool value_fits(const Value& value, const ValueType& type) {
  if (type.kind == ValueType::Kind::Optional) return value.empty() || value_fits(value, *type.element);
  if (value.shape() != nullptr) return tensor_fits(type_of(value).dtype, type);
  if (const Map* m = value.map()) {
    return type.kind == ValueType::Kind::Map && type.dtype == m->keys.dtype() &&
           tensor_fits(m->values.dtype(), *type.element);
  }
  const Sequence* s = value.sequence();
  return s != nullptr && type.kind == ValueType::Kind::Sequence &&
         std::all_of(s->items.begin(), s->items.end(), [&](const Value& v) { return value_fits(v, *type.element); });
}

// A scalar may be given as one element with dimensions: pages write [1].
bool is_scalar_given_long(const Session::Port& port, const Shape& shape) {
  return port.shape && port.shape->rank() == 0 && shape.rank() > 0 && shape.count() == 1;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::load(IncomingModel file, LoadOptions options) {
  NM_TRY(refill_reserve());
  std::unique_ptr<Session> session(new Session);
  const auto make = [&]() -> Status {
    session->control_.limits = options.limits;
    // The graph alone holds the weights from here on, so that each goes when the operator that packs it is ready.
    NM_ASSIGN(Model model, read_model(std::move(file), std::move(options)));
    session->symbols_ = model.graph->symbols;
    session->facts_ = std::move(model.facts);
    session->describe_model();
    session->given_.resize(session->inputs().size());
    session->buffers_.resize(session->inputs().size());
    session->declared_.resize(session->inputs().size());
    NM_ASSIGN(session->program_, Program::compile(std::move(model.graph), session->control_, false));
    return check_memory();
  };
  if (Status s = make(); !s.ok()) return blame_memory(std::move(s));
  return session;
}

void Session::describe_model() {
  JsonWriter json;
  json.begin_object().member("name", facts_.name).member("producer", facts_.producer);
  json.key("opsets").begin_object();
  for (const auto& [domain, version] : facts_.opsets) json.member(domain, version);
  json.end_object().key("metadata").begin_object();
  for (const auto& [key, value] : facts_.metadata) json.member(key, value);
  json.end_object();
  write_ports(json, "inputs", facts_.inputs, *symbols_);
  write_ports(json, "outputs", facts_.outputs, *symbols_);
  json.key("operators").begin_object();
  for (const auto& [name, count] : facts_.operators) json.member(name, count);
  json.end_object();
  json.key("warnings").begin_array();
  for (const std::string& warning : facts_.warnings) json.value(warning);
  json.end_array();
  json.member("nodes", facts_.nodes);
  json.member("weightBytes", facts_.weight_bytes);
  json.end_object();
  description_ = json.take();
}

std::string Session::port_text(const Port& port) const {
  return text(to_string(port.type), port.shape ? to_string(*port.shape, *symbols_) : std::string());
}

Status Session::check_input(size_t index, DType dtype, const Shape& shape) const {
  if (index >= inputs().size()) {
    return {Code::InvalidArgument,
            text("the model has ", inputs().size(), " inputs; there is none with index ", index)};
  }
  const Port& port = inputs()[index];
  // Also where the model does not say a type: nothing could be computed with it.
  if (dtype == DType::Undefined) {
    return {Code::InvalidArgument, text("the tensor given for input '", port.name, "' has no element type")};
  }
  const ValueType& type = port.type.kind == ValueType::Kind::Optional ? *port.type.element : port.type;
  if (!type.is_tensor()) {
    return Status(Code::TypeMismatch, text("input '", port.name, "' is a ", to_string(port.type), ", not a tensor"))
        .about(port.name, port_text(port), describe(dtype, shape));
  }
  const DType wanted = type.dtype;
  if (wanted != DType::Undefined && dtype != wanted) {
    return Status(Code::TypeMismatch, text("input '", port.name, "' takes ", dtype_name(wanted), ", but ",
                                           dtype_name(dtype), " was given; convert it first"))
        .about(port.name, port_text(port), describe(dtype, shape));
  }
  bool fits = true;
  if (port.shape && !is_scalar_given_long(port, shape)) {
    fits = port.shape->rank() == shape.rank();
    for (int i = 0; fits && i < shape.rank(); ++i) fits = (*port.shape)[i] < 0 || (*port.shape)[i] == shape[i];
  }
  if (!fits) {
    return Status(Code::ShapeMismatch, text("input '", port.name, "' takes shape ", to_string(*port.shape, *symbols_),
                                            ", but ", to_string(shape), " was given"))
        .about(port.name, port_text(port), describe(dtype, shape));
  }
  return {};
}

Result<Tensor*> Session::input(size_t index, DType dtype, const Shape& given) {
  NM_TRY(refill_reserve());
  NM_TRY(check_input(index, dtype, given));
  const Shape shape = is_scalar_given_long(inputs()[index], given) ? Shape{} : given;
  Tensor& buffer = buffers_[index];
  given_[index] = Value();
  // An output that is still held may be (part of) this input.
  if (buffer.dtype() != dtype || !(buffer.shape() == shape) || buffer.owner().use_count() > 1) {
    buffer = Tensor();
    NM_ASSIGN(buffer, Tensor::create(dtype, shape));
  }
  given_[index] = buffer;
  declared_[index] = true;
  return &buffer;
}

Status Session::set_input(size_t index, Value value) {
  NM_TRY(refill_reserve());
  if (const Shape* shape = value.shape()) {
    NM_TRY(check_input(index, type_of(value).dtype, *shape));
    if (is_scalar_given_long(inputs()[index], *shape)) {
      NM_ASSIGN(const Tensor one, dense(value));
      value = one.reshaped(Shape{});
    }
  }
  if (index >= inputs().size()) {
    return {Code::InvalidArgument,
            text("the model has ", inputs().size(), " inputs; there is none with index ", index)};
  }
  const Port& port = inputs()[index];
  if (!value_fits(value, port.type)) {
    const std::string given = value.empty() ? "nothing" : to_string(type_of(value));
    return Status(Code::TypeMismatch,
                  text("input '", port.name, "' takes ", to_string(port.type), ", but ", given, " was given"))
        .about(port.name, port_text(port), given);
  }
  if (const Sequence* s = value.sequence(); s != nullptr && s->items.empty()) {
    const ValueType& type = port.type.kind == ValueType::Kind::Optional ? *port.type.element : port.type;
    auto typed = std::make_shared<Sequence>();
    typed->element = *type.element;
    value = std::shared_ptr<const Sequence>(std::move(typed));
  }
  given_[index] = std::move(value);
  declared_[index] = true;
  return {};
}

void Session::trim() {
  program_->trim();
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (!declared_[i]) buffers_[i] = {};
  }
}

Status Session::begin() {
  NM_TRY(refill_reserve());
  control_.begin_run();
  for (size_t i = 0; i < inputs().size(); ++i) {
    if (declared_[i]) continue;
    std::string known;
    for (const Port& p : inputs()) known += text(known.empty() ? "'" : ", '", p.name, "'");
    return Status(Code::MissingInput, text("input '", inputs()[i].name, "' (", port_text(inputs()[i]),
                                           ") was not given; the model's inputs are ", known))
        .about(inputs()[i].name, port_text(inputs()[i]), "nothing");
  }
  NM_TRY(blame_memory(program_->begin(given_)));
  for (size_t i = 0; i < inputs().size(); ++i) {
    declared_[i] = false;
    given_[i] = Value();
  }
  return {};
}

Result<size_t> Session::advance(size_t steps) {
  NM_TRY(refill_reserve());
  control_.slice = static_cast<int64_t>(std::min<uint64_t>(steps, INT64_MAX));
  auto left = program_->advance();
  if (!left.ok()) return blame_memory(left.take_status());
  return left;
}

Status Session::run() {
  NM_TRY(begin());
  NM_ASSIGN(const size_t left, advance(SIZE_MAX));
  if (control_.waiting != nullptr) {
    return {Code::InvalidArgument,
            "the run waits for a custom operator: give the operators with the model, and run it in steps (nm_waiting)"};
  }
  return left == 0 ? Status() : Status(Code::Internal, "a run stopped before its end");
}

std::vector<StepFacts> Session::steps() const {
  std::vector<StepFacts> list;
  const Plan* plan = program_->plan();
  if (plan == nullptr) return list;
  for (const Step& step : plan->steps) {
    const Node& node = program_->graph().nodes[step.node];
    const Operator& op = program_->op(step.node);
    StepFacts facts;
    facts.node = node.name;
    facts.op = node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
    const auto add = [&](ValueId id) {
      if (id == kNone) return;
      const Slot& s = plan->slots[id];
      if (!s.shape || !s.type.is_tensor()) return;
      facts.bytes += static_cast<double>(tensor_bytes(s.type.dtype, *s.shape).number());
    };
    for (const ValueId id : node.inputs) add(id);
    for (const ValueId id : node.outputs) {
      facts.values.push_back(id == kNone ? std::string() : program_->graph().value(id).name);
      add(id);
      if (id == kNone || !facts.shape.empty()) continue;
      const Slot& s = plan->slots[id];
      facts.shape = s.shape ? describe(s.type.dtype, *s.shape) : to_string(s.type);
    }
    Inference inference = inference_of(node, plan->slots);
    if (op.infer_outputs(inference).ok()) {
      facts.flops = op.flops(inference);
      facts.kernel = op.kernel(inference);
    }
    list.push_back(std::move(facts));
  }
  return list;
}

std::string Session::steps_json() const {
  JsonWriter json;
  json.begin_array();
  for (const StepFacts& s : steps()) {
    json.begin_object().member("node", s.node).member("operator", s.op).member("shape", s.shape);
    json.member("flops", s.flops).member("bytes", s.bytes).member("kernel", s.kernel).key("values").begin_array();
    for (const std::string& name : s.values) json.value(name);
    json.end_array().end_object();
  }
  return json.end_array().take();
}

const Value* Session::step_value(size_t step, size_t output) const {
  const Plan* plan = program_->plan();
  // Without an arena the slots have places of the last one.
  if (plan == nullptr || plan->bound_to == nullptr || step >= plan->steps.size()) return nullptr;
  const std::vector<ValueId>& outputs = program_->graph().nodes[plan->steps[step].node].outputs;
  if (output >= outputs.size() || outputs[output] == kNone) return nullptr;
  const Value& value = plan->slots[outputs[output]].value;
  return value.empty() ? nullptr : &value;
}

std::string Session::memory_json() const {
  const MemoryCounts counts = memory_counts();
  JsonWriter json;
  json.begin_object().member("heap", static_cast<int64_t>(counts.current));
  json.member("weights", static_cast<int64_t>(constant_bytes(program_->graph()) + program_->packed_bytes()));
  json.member("arena", static_cast<int64_t>(program_->arena_bytes()));
  json.member("arenaBound", static_cast<int64_t>(program_->live_bytes()));
  json.member("scratch", static_cast<int64_t>(program_->scratch_bytes()));
  json.member("peak", static_cast<int64_t>(counts.peak));
  return json.end_object().take();
}

}  // namespace nm
