#include "engine/program/program.h"

#include <algorithm>
#include <cstring>

#include "engine/base/sort_positions.h"
#include "engine/op/evaluate.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// Plans are a few kilobytes each; callers that alternate between a handful of shapes should never re-plan.
constexpr size_t kPlanCacheSize = 8;

std::vector<int64_t> signature_of(const std::vector<Value>& inputs) {
  std::vector<int64_t> s;
  for (const Value& v : inputs) {
    const Shape* shape = v.shape();
    s.push_back(shape ? static_cast<int64_t>(type_of(v).dtype) : v.empty() ? -1 : -2);
    if (shape == nullptr) continue;
    s.push_back(shape->rank());
    s.insert(s.end(), shape->begin(), shape->end());
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

Program::Program(std::shared_ptr<Graph> graph, RunControl& control, bool body)
    : graph_(std::move(graph)), control_(control) {
  options_.own_outputs = body;
  input_ids_ = graph_->inputs;
  for (const Capture& c : graph_->captures) input_ids_.push_back(c.inner);
}

Result<std::unique_ptr<Program>> Program::compile(std::shared_ptr<Graph> graph, RunControl& control, bool body) {
  std::unique_ptr<Program> program(new Program(std::move(graph), control, body));
  NM_TRY(program->prepare());
  return program;
}

Status Program::prepare() {
  operators_.resize(graph_->nodes.size());
  // Readers of each constant that still need its raw form.
  PerValue<uint32_t> readers(*graph_);
  for (const Node& node : graph_->nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNone) ++readers[id];
    }
  }
  for (const ValueId id : graph_->outputs) ++readers[id];

  const auto compile_body = [&](const std::shared_ptr<Graph>& g) -> Result<std::unique_ptr<Body>> {
    NM_ASSIGN(std::unique_ptr<Program> body, compile(g, control_, true));
    packed_bytes_ += body->packed_bytes();
    return std::unique_ptr<Body>(std::move(body));
  };
  for (const int64_t position : largest_first(*graph_)) {
    Node& node = graph_->nodes[static_cast<size_t>(position)];
    NM_ASSIGN(OperatorPtr op, take_operator(node));
    Preparation preparation(*graph_, node, compile_body);
    if (Status s = op->prepare(preparation); !s.ok()) return std::move(s).at(node.op_type, node.name);
    packed_bytes_ += preparation.kept_bytes();
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNone || !preparation.consumed(i) || --readers[id] > 0) continue;
      GraphValue& v = graph_->value(id);
      if (v.is_constant()) v.constant = Tensor::view(v.constant.dtype(), v.constant.shape(), nullptr);
    }
    operators_[static_cast<size_t>(position)] = std::move(op);
  }
  return {};
}

Result<Plan*> Program::plan_for(const std::vector<Value>& inputs) {
  std::vector<int64_t> signature = signature_of(inputs);
  const auto known = std::find_if(plans_.begin(), plans_.end(), [&](const auto& p) {
    return p->signature == signature && p->unwanted == options_.unwanted;
  });
  if (known != plans_.end()) {
    std::rotate(plans_.begin(), known, known + 1);
    return plans_.front().get();
  }
  const PlanParts parts{*graph_, operators_, input_ids_, scratch_, control_, options_};
  std::unique_ptr<Plan> plan;
  // With a full cache shapes come that were never seen before: the plan that nobody used for longest becomes theirs.
  if (plans_.size() == kPlanCacheSize) {
    std::unique_ptr<Plan> oldest = std::move(plans_.back());
    plans_.pop_back();
    if (oldest->unwanted == options_.unwanted) {
      NM_ASSIGN(plan, update_plan(parts, std::move(oldest), inputs));
    }
  }
  if (plan == nullptr) {
    NM_ASSIGN(plan, make_plan(parts, inputs));
  }
  plan->signature = std::move(signature);
  plans_.insert(plans_.begin(), std::move(plan));
  return plans_.front().get();
}

Status Program::begin(std::vector<Value> inputs) {
  end_run();
  NM_ASSIGN(Plan * plan, plan_for(inputs));
  std::vector<std::shared_ptr<Edition>> editions(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    editions[i] = inputs[i].edition();
    if (inputs[i].growing() != nullptr && plan->slots[input_ids_[i]].growing) continue;
    if (inputs[i].growing() == nullptr && editions[i] == nullptr) continue;
    NM_ASSIGN(inputs[i], dense(inputs[i]));
    if (editions[i] != nullptr && editions[i]->overwritten()) editions[i] = nullptr;  // that was a copy
  }
  if (!arena_.ok() || plan->arena_bytes > Size(arena_.size())) {
    arena_ = {};  // the old arena goes before the larger one comes; other plans bind anew when they are next used
    for (const auto& p : plans_) p->bound_to = nullptr;
    arena_ = Buffer(plan->arena_bytes);
    live_bytes_ = plan->live_bytes;
    if (!arena_.ok()) return no_arena(*graph_, *plan);
  }
  plan->bind_arena(arena_.data());
  for (size_t i = 0; i < inputs.size(); ++i) {
    Slot& s = plan->slots[input_ids_[i]];
    s.value = std::move(inputs[i]);
    s.edition = std::move(editions[i]);
  }
  for (const ValueId id : plan->input_views) plan->bind_view(id);
  current_ = plan;
  next_step_ = 0;
  return {};
}

Result<size_t> Program::advance() {
  if (current_ == nullptr) return Status(Code::InvalidArgument, "no run has begun");
  std::vector<Step>& steps = current_->steps;
  for (; next_step_ < steps.size(); ++next_step_) {
    if (!suspended_) {  // a step that goes on has been counted already, or a slice of one would never get further
      if (control_.slice <= 0) return steps.size() - next_step_;
      --control_.slice;
    }
    Step& step = steps[next_step_];
    Status s = control_.check_cancelled();
    if (s.ok()) s = run_step(step);
    if (s.code() == Code::Suspended) return steps.size() - next_step_;
    if (!s.ok()) {
      const Node& node = graph_->nodes[step.node];
      end_run();
      return s.code() == Code::Cancelled ? std::move(s) : std::move(s).at(node.op_type, node.name);
    }
  }
  current_->forget_inputs(*graph_);
  return size_t{0};
}

void Program::abandon() {
  end_run();
  captured_.clear();
}

void Program::end_run() {
  if (current_ == nullptr) return;
  if (suspended_) operators_[current_->steps[next_step_].node]->abandon();
  suspended_ = false;
  current_->forget_values();
  current_ = nullptr;
}

Status Program::run_step(Step& step) {
  Status s;
  if (suspended_) {
    suspended_ = false;
    s = operators_[step.node]->run(*step.execution);
  } else {
    s = start_step(step);
  }
  suspended_ = s.code() == Code::Suspended;
  NM_TRY(std::move(s));
  NM_TRY(check_memory());
  NM_TRY(check_texts(step));
  for (const ValueId id : step.views) current_->bind_view(id);
  for (const ValueId id : step.release) current_->slots[id].value = Value();
  return {};
}

Status Program::start_step(Step& step) {
  for (const ValueId id : step.allocate) {
    Slot& s = current_->slots[id];
    NM_ASSIGN(Tensor t, Tensor::create(s.type.dtype, *s.shape));
    s.value = std::move(t);
  }
  return step.infer ? infer_step(step) : run_operator(step);
}

Status Program::run_operator(Step& step) {
  NM_TRY(check_growth(step));
  scratch_.reset();
  for (const ValueId id : step.rewritten) NM_TRY(rewrite(step, id));
  return operators_[step.node]->run(*step.execution);
}

// Gives an output the contents of the input that it is to be, in the same memory where that can be had.
Status Program::rewrite(Step& step, ValueId output) {
  if constexpr (!selection::has<selection::Part::States>) return {};
  PerValue<Slot>& slots = current_->slots;
  Slot& to = slots[output];
  Slot& from = slots[to.rewrites];
  Extents written;
  NM_TRY(operators_[step.node]->written(*step.execution, written));
  // From here on nobody in this run reads what the input was.
  std::shared_ptr<Edition> before = std::move(from.edition);
  Tensor contents = std::move(*from.value.tensor());
  from.forget();
  for (const ValueId id : current_->input_views) {
    ValueId whole = id;
    while (slots[whole].within != kNone) whole = slots[whole].within;
    if (whole == to.rewrites) slots[id].forget();
  }
  if (before == nullptr) {
    NM_ASSIGN(to.edition, Edition::of(std::move(contents)));
  } else {
    contents = Tensor();
    NM_ASSIGN(to.edition, Edition::after(std::move(before), std::move(written)));
  }
  NM_ASSIGN(Tensor memory, to.edition->read());
  from.value = to.value = std::move(memory);
  return {};
}

// A tensor of strings says nothing of its bytes beforehand. What operators make of strings is no longer than their
// inputs' longest together, so that is asked of the limit before memory is. Strings made of numbers are short.
Status Program::check_growth(const Step& step) const {
  const Node& node = graph_->nodes[step.node];
  for (const ValueId out : node.outputs) {
    if (out == kNone) continue;
    const Slot& slot = current_->slots[out];
    const Tensor* t = slot.value.tensor();
    if (slot.place != Place::Heap || t == nullptr || t->dtype() != DType::String) continue;
    Size longest;
    for (const ValueId in : node.inputs) {
      const Tensor* given = in == kNone ? nullptr : current_->slots[in].value.tensor();
      if (given == nullptr || given->dtype() != DType::String || given->raw() == nullptr) continue;
      size_t most = 0;
      for (const std::string& s : given->span<std::string>()) most = std::max(most, s.size());
      longest += Size(most);
    }
    const uint64_t limit = control_.limits.text_bytes;
    if (const Size bytes = longest * t->count(); bytes.number() > limit) {
      return limit_exceeded("textBytes", limit,
                            text("the strings of '", graph_->value(out).name, "' may take ", bytes.number(), " bytes"));
    }
  }
  return {};
}

// Sequences and strings of unknown number grow as their contents want.
Status Program::check_texts(const Step& step) const {
  const uint64_t limit = control_.limits.text_bytes;
  for (const ValueId id : graph_->nodes[step.node].outputs) {
    if (id == kNone) continue;
    const Slot& slot = current_->slots[id];
    if (slot.place != Place::Heap) continue;
    uint64_t bytes = 0;
    if (const Sequence* sequence = slot.value.sequence()) {
      bytes = sequence->items.size() * sizeof(Value);
    } else if (const Tensor* t = slot.value.tensor(); t != nullptr && t->dtype() == DType::String) {
      for (const std::string& s : t->span<std::string>()) bytes += s.size();
    }
    if (bytes > limit) {
      return limit_exceeded(
          "textBytes", limit,
          text("the value '", graph_->value(id).name, "' takes ", bytes, " bytes of strings or items"));
    }
  }
  return {};
}

// A step whose outputs' shapes follow from the data of its inputs.
Status Program::infer_step(Step& step) {
  const Node& node = graph_->nodes[step.node];
  Operator& op = *operators_[step.node];
  PerValue<Slot>& slots = current_->slots;
  Inference inference(node.inputs.size(), node.outputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const Slot& s = slots[node.inputs[i]];
    Inference::Input& in = inference.input_slot(i);
    in.present = !s.value.empty();
    in.type = s.value.empty() ? s.type : type_of(s.value);
    if (const Shape* shape = s.value.shape()) in.shape = *shape;
    if (const Tensor* t = s.value.tensor(); t != nullptr && t->raw() != nullptr) in.value = t;
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) inference.output_slot(o).wanted = node.outputs[o] != kNone;
  NM_TRY(op.infer_outputs(inference));
  bool need_run = false;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const ValueId id = node.outputs[o];
    if (id == kNone) continue;
    Slot& s = slots[id];
    Inference::Output& said = inference.output_slot(o);
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
    const auto view = said.type.dtype == DType::String ? std::nullopt : op.view(inference, o);
    if (!view) {
      NM_ASSIGN(Tensor t, Tensor::create(said.type.dtype, *said.shape));
      s.value = std::move(t);
      need_run = true;
      continue;
    }
    const Tensor& source = *slots[node.inputs[view->input]].value.tensor();
    NM_TRY(check_view(*view, source.dtype(), source.shape(), said.type.dtype, *said.shape));
    const Tensor part = take_view(source, *view, said.type.dtype, *said.shape);
    // Memory without an owner is the arena's, which may be used for something else before this value ends.
    if (source.owner() != nullptr && !options_.own_outputs) {
      s.value = part;
    } else {
      NM_ASSIGN(Tensor t, owned_copy(part));
      s.value = std::move(t);
    }
  }
  return need_run ? run_operator(step) : Status();
}

const Value& Program::output(size_t i) const { return current_->slots[graph_->outputs[i]].value; }

Result<Value> Program::take_output(size_t i) const {
  const Slot& s = current_->slots[graph_->outputs[i]];
  if (s.edition != nullptr) return Value(s.edition);
  const Tensor* t = s.value.tensor();
  if (t == nullptr || s.place == Place::Heap) return s.value;
  NM_ASSIGN(Tensor copy, owned_copy(*t));
  return Value(std::move(copy));
}

void Program::keep_output(size_t i, Stored stored) {
  if (i < options_.kept.size() && options_.kept[i] == stored) return;
  options_.kept.resize(graph_->outputs.size());
  options_.kept[i] = stored;
  end_run();
  plans_.clear();
  const ValueId id = graph_->outputs[i];
  if (!is_for_output_alone(id)) return;
  for (size_t n = 0; n < operators_.size(); ++n) {
    const std::vector<ValueId>& outputs = graph_->nodes[n].outputs;
    const auto o = std::find(outputs.begin(), outputs.end(), id);
    if (o != outputs.end()) operators_[n]->keep_output(static_cast<size_t>(o - outputs.begin()), stored);
  }
}

bool Program::is_for_output_alone(ValueId id) const {
  const auto reads = [id](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
  };
  return std::count(graph_->outputs.begin(), graph_->outputs.end(), id) == 1 &&
         std::none_of(graph_->nodes.begin(), graph_->nodes.end(), reads);
}

void Program::trim() {
  end_run();
  for (const auto& p : plans_) p->bound_to = nullptr;
  arena_ = {};
  scratch_ = {};
}

void Program::want_output(size_t i, bool wanted) {
  std::vector<bool>& unwanted = options_.unwanted;
  unwanted.resize(graph_->outputs.size());
  unwanted[i] = !wanted;
  if (std::find(unwanted.begin(), unwanted.end(), true) == unwanted.end()) unwanted.clear();
}

void Program::bind_captures(const Execution& node) {
  captured_.clear();
  for (const Capture& c : graph_->captures) captured_.push_back(node.input_value(c.input));
}

Status Program::run(std::vector<Value> inputs, std::vector<Value>& outputs) {
  for (const Value& v : captured_) inputs.push_back(v);
  NM_TRY(begin(std::move(inputs)));
  return resume(outputs);
}

Status Program::resume(std::vector<Value>& outputs) {
  NM_ASSIGN(const size_t left, advance());
  if (left > 0) return {Code::Suspended, "the slice is over"};
  outputs.clear();
  for (const ValueId id : graph_->outputs) {
    Slot& s = current_->slots[id];
    if (s.place == Place::Heap) {
      outputs.push_back(s.value);
      continue;
    }
    // An input, a capture or a constant handed through. Memory that has an owner stays as it is while somebody holds
    // it; the memory of an arena does not.
    const Tensor* t = s.value.tensor();
    if (t == nullptr || t->owner() != nullptr) {
      outputs.push_back(s.value);
      continue;
    }
    NM_ASSIGN(Tensor copy, owned_copy(*t));
    outputs.push_back(std::move(copy));
  }
  end_run();
  return {};
}

}  // namespace nm
