#include "engine/program/program.h"

#include <algorithm>
#include <cstring>

#include "engine/base/positions.h"

namespace nm {
namespace {

// Plans are a few kilobytes each; callers that alternate between a handful of shapes should never re-plan.
constexpr size_t kPlanCacheSize = 8;

std::vector<int64_t> signature_of(const std::vector<Value>& inputs) {
  std::vector<int64_t> s;
  for (const Value& v : inputs) {
    const Tensor* t = v.tensor();
    s.push_back(t ? static_cast<int64_t>(t->dtype()) : v.empty() ? -1 : -2);
    if (t == nullptr) continue;
    s.push_back(t->rank());
    s.insert(s.end(), t->shape().begin(), t->shape().end());
  }
  return s;
}

Result<Tensor> owned_copy(const Tensor& t) {
  NM_ASSIGN(Tensor copy, Tensor::create(t.dtype(), t.shape()));
  if (t.dtype() == DType::String) {
    std::copy_n(t.data<std::string>(), t.count(), copy.data<std::string>());
  } else if (t.bytes() > 0) {
    std::memcpy(copy.raw(), t.raw(), t.bytes());
  }
  return copy;
}

// The nodes by the size of their weights: packed ones then find room where larger raw ones have been.
std::vector<int64_t> largest_first(const Graph& graph) {
  std::vector<size_t> bytes;
  for (const Node& node : graph.nodes) {
    size_t& sum = bytes.emplace_back();
    for (const ValueId id : node.inputs) {
      if (const Tensor* t = graph.constant(id); t != nullptr && t->raw() != nullptr) sum += t->bytes();
    }
  }
  return sorted_positions(bytes.size(), [&](int64_t a, int64_t b) {
    return bytes[static_cast<size_t>(a)] > bytes[static_cast<size_t>(b)];
  });
}

}  // namespace

Program::Program(std::shared_ptr<Graph> graph, const std::atomic<bool>& cancelled, bool body)
    : graph_(std::move(graph)), cancelled_(cancelled) {
  options_.own_outputs = body;
  input_ids_ = graph_->inputs;
  for (const Capture& c : graph_->captures) input_ids_.push_back(c.inner);
}

Result<std::unique_ptr<Program>> Program::compile(std::shared_ptr<Graph> graph, const std::atomic<bool>& cancelled,
                                                  bool body) {
  std::unique_ptr<Program> program(new Program(std::move(graph), cancelled, body));
  NM_TRY(program->prepare());
  return program;
}

Status Program::prepare() {
  operators_.resize(graph_->nodes.size());
  // Readers of each constant that still need its raw form.
  std::vector<uint32_t> readers(graph_->values.size());
  for (const Node& node : graph_->nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNone) ++readers[static_cast<size_t>(id)];
    }
  }
  for (const ValueId id : graph_->outputs) ++readers[static_cast<size_t>(id)];

  const auto compile_body = [&](const std::shared_ptr<Graph>& g) -> Result<std::unique_ptr<Body>> {
    NM_ASSIGN(std::unique_ptr<Program> body, compile(g, cancelled_, true));
    packed_bytes_ += body->packed_bytes();
    return std::unique_ptr<Body>(std::move(body));
  };
  for (const int64_t position : largest_first(*graph_)) {
    const Node& node = graph_->nodes[static_cast<size_t>(position)];
    NM_ASSIGN(OperatorPtr op, create_operator(node));
    Preparation c(*graph_, node, compile_body);
    if (Status s = op->prepare(c); !s.ok()) return std::move(s).at(node.op_type, node.name);
    packed_bytes_ += c.kept_bytes();
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNone || !c.consumed(i) || --readers[static_cast<size_t>(id)] > 0) continue;
      GraphValue& v = graph_->value(id);
      if (v.is_constant()) v.constant = Tensor::view(v.constant.dtype(), v.constant.shape(), nullptr);
    }
    operators_[static_cast<size_t>(position)] = std::move(op);
  }
  return {};
}

Result<Plan*> Program::plan_for(const std::vector<Value>& inputs) {
  std::vector<int64_t> signature = signature_of(inputs);
  const auto known =
      std::find_if(plans_.begin(), plans_.end(), [&](const auto& p) { return p->signature == signature; });
  if (known != plans_.end()) {
    std::rotate(plans_.begin(), known, known + 1);
    return plans_.front().get();
  }
  NM_ASSIGN(std::unique_ptr<Plan> plan, make_plan(*graph_, operators_, input_ids_, inputs, scratch_, options_));
  plan->signature = std::move(signature);
  if (plans_.size() == kPlanCacheSize) plans_.pop_back();
  plans_.insert(plans_.begin(), std::move(plan));
  return plans_.front().get();
}

Status Program::begin(std::vector<Value> inputs) {
  current_ = nullptr;
  NM_ASSIGN(Plan * plan, plan_for(inputs));
  if (!arena_.ok() || plan->arena_bytes > arena_.size()) {
    arena_ = {};  // the old arena goes before the larger one comes; other plans bind anew when they are next used
    for (const auto& p : plans_) p->bound_to = nullptr;
    arena_ = Buffer(plan->arena_bytes);
    live_bytes_ = plan->live_bytes;
    if (!arena_.ok()) {
      return {Code::OutOfMemory, text("there is no memory for ", plan->arena_bytes,
                                      " bytes of intermediate results; use smaller inputs or release other sessions")};
    }
  }
  plan->bind_arena(arena_.data());
  for (size_t i = 0; i < inputs.size(); ++i) {
    plan->slots[static_cast<size_t>(input_ids_[i])].value = std::move(inputs[i]);
  }
  for (const ValueId id : plan->input_views) {
    Slot& s = plan->slots[static_cast<size_t>(id)];
    Tensor& source = *plan->slots[static_cast<size_t>(s.alias_of)].value.tensor();
    s.value = Tensor::view(s.type.dtype, *s.shape, static_cast<uint8_t*>(source.raw()) + s.offset, source.owner());
  }
  current_ = plan;
  next_step_ = 0;
  return {};
}

Result<size_t> Program::advance(size_t count) {
  if (current_ == nullptr) return Status(Code::InvalidArgument, "no run has begun");
  std::vector<Step>& steps = current_->steps;
  for (; count > 0 && next_step_ < steps.size(); --count, ++next_step_) {
    if (cancelled_.load(std::memory_order_relaxed)) {
      current_ = nullptr;
      return Status(Code::Cancelled, "the run was cancelled");
    }
    Step& step = steps[next_step_];
    if (Status s = run_step(step); !s.ok()) {
      current_ = nullptr;
      const Node& node = graph_->nodes[step.node];
      return std::move(s).at(node.op_type, node.name);
    }
  }
  return steps.size() - next_step_;
}

Status Program::run_step(Step& step) {
  for (const ValueId id : step.allocate) {
    Slot& s = current_->slots[static_cast<size_t>(id)];
    NM_ASSIGN(Tensor t, Tensor::create(s.type.dtype, *s.shape));
    s.value = std::move(t);
  }
  if (step.infer) {
    NM_TRY(infer_step(step));
  } else {
    scratch_.reset();
    NM_TRY(operators_[step.node]->run(*step.execution));
  }
  for (const ValueId id : step.release) current_->slots[static_cast<size_t>(id)].value = Value();
  return {};
}

// A step whose outputs' shapes follow from the data of its inputs.
Status Program::infer_step(Step& step) {
  const Node& node = graph_->nodes[step.node];
  Operator& op = *operators_[step.node];
  std::vector<Slot>& slots = current_->slots;
  Inference c(node.inputs.size(), node.outputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const Slot& s = slots[static_cast<size_t>(node.inputs[i])];
    Inference::Input& in = c.input_slot(i);
    in.present = !s.value.empty();
    in.type = s.value.empty() ? s.type : type_of(s.value);
    if (const Tensor* t = s.value.tensor()) {
      in.shape = t->shape();
      if (t->raw() != nullptr) in.value = t;
    }
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) c.output_slot(o).wanted = node.outputs[o] != kNone;
  NM_TRY(op.infer(c));
  bool need_run = false;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const ValueId id = node.outputs[o];
    if (id == kNone) continue;
    Slot& s = slots[static_cast<size_t>(id)];
    Inference::Output& said = c.output_slot(o);
    if (s.place != Place::Heap || s.shape) {  // planned already
      if (said.shape && s.shape && !(*said.shape == *s.shape)) {
        return {Code::ShapeMismatch, text("an output turned out to have shape ", to_string(*said.shape),
                                          " where the model declares ", to_string(*s.shape))};
      }
      need_run = true;
      continue;
    }
    if (said.value.defined()) {
      s.value = std::move(said.value);
      continue;
    }
    if (!said.type.is_tensor() || said.type.dtype == DType::Undefined || !said.shape || !said.shape->known()) {
      s.value = Value();
      need_run = true;
      continue;
    }
    const auto view = said.type.dtype == DType::String ? std::nullopt : op.view(c, o);
    if (!view) {
      NM_ASSIGN(Tensor t, Tensor::create(said.type.dtype, *said.shape));
      s.value = std::move(t);
      need_run = true;
      continue;
    }
    const Tensor& source = *slots[static_cast<size_t>(node.inputs[view->input])].value.tensor();
    auto* data =
        static_cast<uint8_t*>(const_cast<void*>(source.raw())) + dtype_bytes(said.type.dtype, view->element_offset);
    const Tensor part = Tensor::view(said.type.dtype, *said.shape, data, source.owner());
    // Memory without an owner is the arena's, which may be used for something else before this value ends.
    if (source.owner() != nullptr && !options_.own_outputs) {
      s.value = part;
    } else {
      NM_ASSIGN(Tensor t, owned_copy(part));
      s.value = std::move(t);
    }
  }
  if (!need_run) return {};
  scratch_.reset();
  return op.run(*step.execution);
}

const Value& Program::output(size_t i) const { return current_->slots[static_cast<size_t>(graph_->outputs[i])].value; }

void Program::bind_captures(const Execution& node) {
  captured_.clear();
  for (const Capture& c : graph_->captures) captured_.push_back(node.input_value(c.input));
}

Status Program::run(std::vector<Value> inputs, std::vector<Value>& outputs) {
  for (const Value& v : captured_) inputs.push_back(v);
  NM_TRY(begin(std::move(inputs)));
  NM_ASSIGN(const size_t left, advance(SIZE_MAX));
  (void)left;
  outputs.clear();
  for (const ValueId id : graph_->outputs) {
    Slot& s = current_->slots[static_cast<size_t>(id)];
    if (s.place == Place::Heap) {
      outputs.push_back(s.value);
      continue;
    }
    // An input, a capture or a constant handed through.
    const Tensor* t = s.value.tensor();
    if (t == nullptr) {
      outputs.push_back(s.value);
      continue;
    }
    NM_ASSIGN(Tensor copy, owned_copy(*t));
    outputs.push_back(std::move(copy));
  }
  return {};
}

}  // namespace nm
