#include "engine/program/plan.h"

#include <algorithm>

#include "engine/base/memory.h"
#include "engine/op/evaluate.h"
#include "engine/program/arena.h"

namespace nm {
namespace {

// Values computed while planning are shape arithmetic: small. Larger results (a slice of an embedding table whose
// bounds follow from the input's shape) are steps like any other, or every plan would keep its own copy.
constexpr size_t kFoldBytes = 4096;

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<OperatorPtr>& operators, Scratch& scratch, RunControl& control,
          const PlanOptions& options)
      : graph_(graph),
        operators_(operators),
        scratch_(scratch),
        control_(control),
        options_(options),
        plan_(std::make_unique<Plan>()) {}

  Result<std::unique_ptr<Plan>> make(const std::vector<ValueId>& input_ids, const std::vector<Value>& inputs) {
    const size_t count = graph_.values.size();
    NM_TRY(room_for("a plan", Size(count) * (sizeof(Slot) + 64) + Size(graph_.nodes.size()) * 2 * sizeof(Step)));
    plan_->slots.resize(count);
    root_.resize(count, kNone);
    for (size_t i = 0; i < count; ++i) {
      const GraphValue& v = graph_.values[i];
      Slot& slot = plan_->slots[i];
      slot.type = v.type;
      if (v.is_constant()) {
        slot.place = Place::Constant;
        slot.value = v.constant;
        slot.shape = v.constant.shape();
      }
    }
    for (size_t i = 0; i < input_ids.size(); ++i) {
      Slot& slot = plan_->slots[static_cast<size_t>(input_ids[i])];
      slot.place = Place::Input;
      if (const Tensor* t = inputs[i].tensor()) {
        slot.type = ValueType::tensor(t->dtype());
        slot.shape = t->shape();
      } else {
        slot.shape.reset();
      }
    }
    owned_.resize(count);
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const bool kept = i < options_.kept.size() && options_.kept[i];
      if (options_.own_outputs || kept) owned_[static_cast<size_t>(graph_.outputs[i])] = true;
    }
    count_uses();
    for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (Status s = plan_node(n, node); !s.ok()) return std::move(s).at(node.op_type, node.name);
    }
    NM_TRY(place());
    bind_steps();
    return std::move(plan_);
  }

 private:
  Slot& slot(ValueId id) { return plan_->slots[static_cast<size_t>(id)]; }
  // Does the value outlive the run?
  bool is_owned(ValueId id) const { return owned_[static_cast<size_t>(id)]; }

  void count_uses() {
    last_use_.assign(graph_.values.size(), -1);
    for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
      for (const ValueId id : graph_.nodes[n].inputs) {
        if (id != kNone) last_use_[static_cast<size_t>(id)] = static_cast<int32_t>(n);
      }
    }
    for (const ValueId id : graph_.outputs)
      last_use_[static_cast<size_t>(id)] = static_cast<int32_t>(graph_.nodes.size());
  }

  Status plan_node(uint32_t n, const Node& node) {
    Operator& op = *operators_[n];
    Inference c = inference_of(node, plan_->slots);
    if (Status s = op.infer_outputs(c); !s.ok()) return named(std::move(s), node, c);
    bool any = false;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == kNone) continue;
      any = true;
      Slot& s = slot(node.outputs[o]);
      Inference::Output& said = c.output_slot(o);
      if (said.type.dtype != DType::Undefined || !said.type.is_tensor()) s.type = said.type;
      s.shape.reset();
      if (said.shape && said.shape->known()) s.shape = said.shape;
    }
    if (!any) return {};
    NM_ASSIGN(const bool folded, fold(node, op, c));
    if (folded) return {};

    Step step;
    step.node = n;
    step.infer = !inputs_known(node);
    bool all_views = true;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const ValueId id = node.outputs[o];
      if (id == kNone) continue;
      NM_ASSIGN(const bool is_view, assign_view(n, node, op, c, o));
      if (!is_view) {
        all_views = false;
        assign_memory(n, node, op, o, step);
      }
    }
    if (!all_views) plan_->steps.push_back(std::move(step));
    return {};
  }

  // An output that is too large is named, with its type and shape.
  Status named(Status s, const Node& node, Inference& c) const {
    if (s.code() != Code::OutOfMemory) return s;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const Inference::Output& out = c.output_slot(o);
      if (node.outputs[o] == kNone || !out.shape || check_addressable("", out.type.dtype, *out.shape).ok()) continue;
      return check_addressable(text("the value '", graph_.value(node.outputs[o]).name, "',"), out.type.dtype,
                               *out.shape);
    }
    return s;
  }

  // An output's shape may be known although an input's is not; the operator must still see that input before it runs.
  bool inputs_known(const Node& node) {
    for (size_t i = 0; i < node.explicit_inputs; ++i) {
      if (node.inputs[i] != kNone && !slot(node.inputs[i]).shape) return false;
    }
    return true;
  }

  // Runs the node now when all its inputs are known and its outputs small, or takes what inference knows already.
  Result<bool> fold(const Node& node, Operator& op, Inference& c) {
    bool said_all = true;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      said_all = said_all && (node.outputs[o] == kNone || c.output_slot(o).value.defined());
    }
    std::vector<const Value*> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!said_all && node.inputs[i] != kNone && c.value(i) == nullptr) return false;
      inputs.push_back(node.inputs[i] == kNone ? nullptr : &slot(node.inputs[i]).value);
    }
    std::vector<Value> results;
    NM_ASSIGN(const bool done, evaluate(op, c, inputs, scratch_, kFoldBytes, results));
    if (!done) return false;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNone) set_constant(node.outputs[o], std::move(*results[o].tensor()));
    }
    return true;
  }

  void set_constant(ValueId id, Tensor value) {
    Slot& s = slot(id);
    s.place = Place::Constant;
    s.shape = value.shape();
    s.value = std::move(value);
  }

  // The value whose memory `id` lives in.
  ValueId root(ValueId id) {
    while (root_[static_cast<size_t>(id)] != kNone) id = root_[static_cast<size_t>(id)];
    return id;
  }

  Result<bool> assign_view(uint32_t n, const Node& node, Operator& op, Inference& c, size_t o) {
    const ValueId id = node.outputs[o];
    Slot& s = slot(id);
    if (!s.shape || !s.type.is_tensor() || s.type.dtype == DType::Undefined || s.type.dtype == DType::String)
      return false;
    const auto view = view_of(op, node, c, o);
    if (!view) return false;
    const ValueId source_id = node.inputs[view->input];
    const Slot& source = slot(source_id);
    const int64_t bits = static_cast<int64_t>(dtype_bits(s.type.dtype)) * view->element_offset;
    if (bits % 8 != 0) return false;
    NM_TRY(check_view(*view, source.type.dtype, *source.shape, s.type.dtype, *s.shape));
    const auto offset = static_cast<size_t>(bits / 8);
    switch (source.place) {
      case Place::Constant:
        // An output must not hand out an initialiser's memory for the caller to keep.
        if (is_owned(id)) return false;
        s.place = Place::Constant;
        s.value = take_view(*source.value.tensor(), *view, s.type.dtype, *s.shape);
        return true;
      case Place::Input:
        if (is_owned(id)) return false;
        s.place = Place::Input;
        s.alias_of = source_id;
        s.offset = offset;
        plan_->input_views.push_back(id);
        return true;
      case Place::Arena:
        if (is_owned(id)) return false;
        s.place = Place::Arena;
        s.offset = offset;  // relative to its source until place() adds that one's
        root_[static_cast<size_t>(id)] = source_id;
        extend(root(id), id, n);
        return true;
      case Place::Heap: {
        const auto allocated = allocated_.find(source_id);
        if (is_owned(id) || allocated == allocated_.end()) return false;
        s.place = Place::Heap;
        s.alias_of = source_id;
        s.offset = offset;
        plan_->steps[allocated->second].views.push_back(id);
        allocated_.emplace(id, allocated->second);
        return true;
      }
      case Place::Unused:
        return false;
    }
    return false;
  }

  std::optional<View> view_of(Operator& op, const Node& node, const Inference& c, size_t o) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != kNone && !slot(node.inputs[i]).shape) return std::nullopt;
    }
    return op.view(c, o);
  }

  // A buffer lives until the last use of everything that shares it.
  void extend(ValueId root_id, ValueId id, uint32_t n) {
    int32_t& last = last_use_[static_cast<size_t>(root_id)];
    last = std::max({last, last_use_[static_cast<size_t>(id)], static_cast<int32_t>(n)});
  }

  void assign_memory(uint32_t n, const Node& node, Operator& op, size_t o, Step& step) {
    const ValueId id = node.outputs[o];
    Slot& s = slot(id);
    const bool known = s.shape && s.type.is_tensor() && s.type.dtype != DType::Undefined;
    if (!known || s.type.dtype == DType::String || is_owned(id)) {
      s.place = Place::Heap;
      if (known) {
        step.allocate.push_back(id);
        if (s.type.dtype != DType::String) allocated_[id] = plan_->steps.size();
      } else {
        step.infer = true;
      }
      return;
    }
    s.place = Place::Arena;
    first_[id] = static_cast<int32_t>(n);
    last_use_[static_cast<size_t>(id)] = std::max(last_use_[static_cast<size_t>(id)], static_cast<int32_t>(n));
    if (o != 0) return;
    for (size_t i = 0; i < node.explicit_inputs; ++i) {
      if (take_over(n, node, op, i, id)) break;
    }
  }

  // Lets output 0 live in input i's memory when that ends here and has the same size.
  bool take_over(uint32_t n, const Node& node, Operator& op, size_t i, ValueId id) {
    const ValueId source_id = node.inputs[i];
    if (source_id == kNone || !op.in_place(i)) return false;
    const Slot& source = slot(source_id);
    if (source.place != Place::Arena || !source.shape) return false;
    const Slot& target = slot(id);
    if (*source.shape != *target.shape || dtype_bits(source.type.dtype) != dtype_bits(target.type.dtype)) return false;
    const ValueId owner = root(source_id);
    if (last_use_[static_cast<size_t>(owner)] != static_cast<int32_t>(n)) return false;
    // Another input must not lie in the same memory, which would be overwritten too early; the same value may, where
    // the operator could as well take that one's place.
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const ValueId other = node.inputs[k];
      if (k == i || other == kNone || (other == source_id && op.in_place(k))) continue;
      if (slot(other).place == Place::Arena && root(other) == owner) return false;
    }
    first_.erase(id);
    Slot& s = slot(id);
    s.offset = 0;
    root_[static_cast<size_t>(id)] = source_id;
    extend(owner, id, n);
    return true;
  }

  Status place() {
    std::vector<ArenaBlock> blocks;
    std::vector<ValueId> ids;
    for (const auto& [id, first] : first_) {
      const Slot& s = slot(id);
      blocks.push_back({tensor_bytes(s.type.dtype, *s.shape).number(), first, last_use_[static_cast<size_t>(id)], 0});
      ids.push_back(id);
    }
    plan_->arena_bytes = Size(place_blocks(blocks));
    plan_->live_bytes = live_bytes(blocks);
    const auto largest = std::max_element(blocks.begin(), blocks.end(),
                                          [](const ArenaBlock& a, const ArenaBlock& b) { return a.bytes < b.bytes; });
    if (largest != blocks.end()) plan_->largest = ids[static_cast<size_t>(largest - blocks.begin())];
    if (!plan_->arena_bytes.addressable()) return no_arena(graph_, *plan_);
    for (size_t i = 0; i < ids.size(); ++i) slot(ids[i]).offset = static_cast<size_t>(blocks[i].offset);
    // Nodes are in order, so a source's offset is final before those that live in it are reached.
    for (const Node& node : graph_.nodes) {
      for (const ValueId id : node.outputs) {
        if (id == kNone || slot(id).place != Place::Arena) continue;
        const ValueId source = root_[static_cast<size_t>(id)];
        if (source != kNone) slot(id).offset += slot(source).offset;
      }
    }
    return {};
  }

  void bind_steps() {
    for (Step& step : plan_->steps) {
      const Node& node = graph_.nodes[step.node];
      std::vector<const Value*> inputs;
      for (const ValueId id : node.inputs) {
        inputs.push_back(id == kNone ? nullptr : &slot(id).value);
        if (id != kNone && slot(id).place == Place::Heap &&
            last_use_[static_cast<size_t>(id)] == static_cast<int32_t>(step.node)) {
          step.release.push_back(id);
        }
      }
      std::vector<Value*> outputs;
      for (const ValueId id : node.outputs) {
        outputs.push_back(id == kNone ? nullptr : &slot(id).value);
        if (id != kNone && slot(id).place == Place::Heap && last_use_[static_cast<size_t>(id)] < 0) {
          step.release.push_back(id);
        }
      }
      step.execution.emplace(scratch_, control_, std::move(inputs), std::move(outputs));
    }
  }

  const Graph& graph_;
  const std::vector<OperatorPtr>& operators_;
  Scratch& scratch_;
  RunControl& control_;
  const PlanOptions& options_;
  std::unique_ptr<Plan> plan_;
  std::vector<bool> owned_;              // graph outputs that outlive the run
  std::vector<int32_t> last_use_;        // by node index; the node count for graph outputs
  std::vector<ValueId> root_;            // Arena values that live in another's memory: that one
  std::map<ValueId, size_t> allocated_;  // Heap values, and views of them: the step that allocates
  std::map<ValueId, int32_t> first_;     // Arena values with memory of their own: the node that writes them
};

}  // namespace

Inference inference_of(const Node& node, const std::vector<Slot>& slots) {
  Inference c(node.inputs.size(), node.outputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const Slot& s = slots[static_cast<size_t>(node.inputs[i])];
    Inference::Input& in = c.input_slot(i);
    in.present = true;
    in.type = s.type;
    in.shape = s.shape;
    if (s.place == Place::Constant && s.value.tensor()->raw() != nullptr) in.value = s.value.tensor();
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) c.output_slot(o).wanted = node.outputs[o] != kNone;
  return c;
}

Status no_arena(const Graph& graph, const Plan& plan) {
  std::string what = "intermediate results";
  if (plan.largest != kNone) {
    const Slot& s = plan.slots[static_cast<size_t>(plan.largest)];
    what += text(" (the largest, '", graph.value(plan.largest).name, "', is ", describe(s.type.dtype, *s.shape), ")");
  }
  return no_memory(what, plan.arena_bytes);
}

void Plan::forget_inputs(const Graph& graph) {
  // Outputs may be inputs, or views of them.
  for (const ValueId id : graph.outputs) {
    const Slot& s = slots[static_cast<size_t>(id)];
    if (s.place == Place::Input) return;
  }
  for (Slot& s : slots) {
    if (s.place == Place::Input) s.value = Value();
  }
}

void Plan::forget_values() {
  for (Slot& s : slots) {
    if (s.place == Place::Input || s.place == Place::Heap) s.value = Value();
  }
}

void Plan::bind_view(ValueId id) {
  Slot& s = slots[static_cast<size_t>(id)];
  Tensor& source = *slots[static_cast<size_t>(s.alias_of)].value.tensor();
  s.value = Tensor::view(s.type.dtype, *s.shape, static_cast<uint8_t*>(source.raw()) + s.offset, source.owner());
}

void Plan::bind_arena(uint8_t* base) {
  if (base == bound_to) return;
  for (Slot& s : slots) {
    if (s.place == Place::Arena) s.value = Tensor::view(s.type.dtype, *s.shape, base + s.offset);
  }
  bound_to = base;
}

Result<std::unique_ptr<Plan>> make_plan(const Graph& graph, const std::vector<OperatorPtr>& operators,
                                        const std::vector<ValueId>& input_ids, const std::vector<Value>& inputs,
                                        Scratch& scratch, RunControl& control, const PlanOptions& options) {
  return Planner(graph, operators, scratch, control, options).make(input_ids, inputs);
}

}  // namespace nm
