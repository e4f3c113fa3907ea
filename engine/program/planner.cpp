#include "engine/program/planner.h"

#include <algorithm>
#include <cstring>

#include "engine/base/memory.h"
#include "engine/op/evaluate.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

// Values computed while planning are shape arithmetic: small. Larger results (a slice of an embedding table whose
// bounds follow from the input's shape) are steps like any other, or every plan would keep its own copy.
constexpr size_t kFoldBytes = 4096;

bool same_contents(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && a.dtype() != DType::String && a.raw() != nullptr &&
         b.raw() != nullptr && (a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

}  // namespace

Planner::Planner(const PlanParts& parts, std::unique_ptr<Plan> plan)
    : parts_(parts), graph_(parts.graph), plan_(std::move(plan)), owned_(graph_), kept_(graph_), changed_(graph_) {
  for (size_t i = 0; i < graph_.outputs.size(); ++i) {
    const bool kept = i < parts.options.kept.size() && parts.options.kept[i];
    if (kept) kept_[graph_.outputs[i]] = true;
    if (parts.options.own_outputs || kept) owned_[graph_.outputs[i]] = true;
  }
}

Result<std::unique_ptr<Plan>> Planner::make(const std::vector<Value>& inputs) {
  NM_TRY(room_for("a plan",
                  Size(graph_.values.size()) * (sizeof(Slot) + 64) + Size(graph_.nodes.size()) * 2 * sizeof(Step)));
  plan_->slots = PerValue<Slot>(graph_);
  plan_->fates.resize(graph_.nodes.size());
  for (ValueId id = 0; id < graph_.value_count(); ++id) {
    const GraphValue& v = graph_.value(id);
    Slot& s = slot(id);
    s.type = v.type;
    if (v.is_constant()) {
      s.place = Place::Constant;
      s.value = v.constant;
      s.shape = v.constant.shape();
    }
  }
  for (size_t i = 0; i < parts_.input_ids.size(); ++i) {
    Slot& s = slot(parts_.input_ids[i]);
    s.place = Place::Input;
    if (const Shape* shape = inputs[i].shape()) {
      s.type = type_of(inputs[i]);
      s.shape = *shape;
    } else {
      s.shape.reset();
    }
  }
  const std::vector<std::optional<Stored>>& kept = parts_.options.kept;
  for (size_t i = 0; i < kept.size(); ++i) slot(graph_.outputs[i]).stored = kept[i].value_or(Stored::F32);
  plan_->unwanted = parts_.options.unwanted;
  const std::vector<bool> needed = needed_nodes();
  count_uses(needed);
  for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
    if (!needed[n]) continue;
    const Node& node = graph_.nodes[n];
    if (Status s = plan_node(n, node); !s.ok()) return std::move(s).at(node.op_type, node.name);
  }
  for (const auto& [id, first] : first_) {
    const Slot& s = slot(id);
    const uint64_t bytes = tensor_bytes(s.type.dtype, *s.shape).number();
    plan_->blocks.push_back({bytes, first, last_use_[id], 0});
    plan_->in_blocks.push_back(id);
  }
  NM_TRY(place());
  let_grow();
  let_rewrite();
  bind_steps();
  return std::move(plan_);
}

// By node: does an output that is wanted depend on it? Nodes for which nobody asks belong to no output; they stay, as
// they do where all outputs are wanted.
std::vector<bool> Planner::needed_nodes() const {
  const std::vector<bool>& unwanted = plan_->unwanted;
  std::vector<bool> needed(graph_.nodes.size(), true);
  if (std::find(unwanted.begin(), unwanted.end(), true) == unwanted.end()) return needed;
  PerValue<bool> values(graph_);
  for (size_t i = 0; i < graph_.outputs.size(); ++i) {
    if (i >= unwanted.size() || !unwanted[i]) values[graph_.outputs[i]] = true;
  }
  for (size_t n = graph_.nodes.size(); n-- > 0;) {
    const Node& node = graph_.nodes[n];
    needed[n] =
        std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return id != kNone && values[id]; });
    for (const ValueId id : node.inputs) {
      if (needed[n] && id != kNone) values[id] = true;
    }
  }
  return needed;
}

void Planner::count_uses(const std::vector<bool>& needed) {
  last_use_ = PerValue<int32_t>(graph_, -1);
  for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
    if (!needed[n]) continue;
    for (const ValueId id : graph_.nodes[n].inputs) {
      if (id != kNone) last_use_[id] = static_cast<int32_t>(n);
    }
  }
  for (const ValueId id : graph_.outputs) {
    last_use_[id] = static_cast<int32_t>(graph_.nodes.size());
  }
}

Status Planner::plan_node(uint32_t n, const Node& node) {
  Operator& op = *parts_.operators[n];
  Inference inference = inference_of(node, plan_->slots);
  NM_TRY(infer(node, op, inference));
  bool any = false;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    any = true;
    Slot& s = slot(node.outputs[o]);
    const Inference::Output& said = inference.output_slot(o);
    if (said.type.dtype != DType::Undefined || !said.type.is_tensor()) s.type = said.type;
    s.shape.reset();
    if (said.shape && said.shape->known()) s.shape = said.shape;
  }
  if (!any) return {};
  NM_ASSIGN(const bool folded, fold(node, op, inference));
  plan_->fates[n] = Fate::Folded;
  if (folded) return {};

  Step step;
  step.node = n;
  step.infer = !inputs_known(node);
  plan_->fates[n] = Fate::Views;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    NM_ASSIGN(const bool is_view, assign_view(n, node, op, inference, o));
    if (is_view) continue;
    plan_->fates[n] = Fate::Step;
    assign_memory(n, node, op, inference, o, step);
  }
  if (plan_->fates[n] == Fate::Step) plan_->steps.push_back(std::move(step));
  return {};
}

Status Planner::infer(const Node& node, Operator& op, Inference& inference) {
  Status s = op.infer_outputs(inference);
  if (s.code() != Code::OutOfMemory) return s;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const Inference::Output& out = inference.output_slot(o);
    if (node.outputs[o] == kNone || !out.shape || check_addressable("", out.type.dtype, *out.shape).ok()) continue;
    return check_addressable(text("the value '", graph_.value(node.outputs[o]).name, "',"), out.type.dtype, *out.shape);
  }
  return s;
}

// An output's shape may be known although an input's is not; the operator must still see that input before it runs.
bool Planner::inputs_known(const Node& node) {
  for (size_t i = 0; i < node.explicit_inputs; ++i) {
    if (node.inputs[i] != kNone && !slot(node.inputs[i]).shape) return false;
  }
  return true;
}

Result<bool> Planner::fold(const Node& node, Operator& op, Inference& inference) {
  bool said_all = true;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    said_all = said_all && (node.outputs[o] == kNone || inference.output_slot(o).value.defined());
  }
  std::vector<const Value*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!said_all && node.inputs[i] != kNone && inference.value(i) == nullptr) return false;
    inputs.push_back(node.inputs[i] == kNone ? nullptr : &slot(node.inputs[i]).value);
  }
  std::vector<Value> results;
  NM_ASSIGN(const bool done, evaluate(op, inference, inputs, parts_.scratch, kFoldBytes, results));
  if (!done) return false;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone) set_constant(node.outputs[o], std::move(*results[o].tensor()));
  }
  return true;
}

void Planner::set_constant(ValueId id, Tensor value) {
  Slot& s = slot(id);
  const Tensor* before = s.place == Place::Constant ? s.value.tensor() : nullptr;
  changed_[id] = before == nullptr || !same_contents(*before, value);
  s.place = Place::Constant;
  s.shape = value.shape();
  s.value = std::move(value);
}

// The value whose memory `id` lives in.
ValueId Planner::root(ValueId id) {
  while (slot(id).within != kNone) id = slot(id).within;
  return id;
}

Result<std::optional<View>> Planner::view_of(const Node& node, Operator& op, const Inference& inference, size_t o) {
  const ValueId id = node.outputs[o];
  const Slot& s = slot(id);
  const bool plain = s.shape && s.type.is_tensor() && s.type.dtype != DType::Undefined;
  if (!plain || s.type.dtype == DType::String) return std::optional<View>();
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNone && !slot(node.inputs[i]).shape) return std::optional<View>();
  }
  std::optional<View> view = op.view(inference, o);
  if (!view || static_cast<int64_t>(dtype_bits(s.type.dtype)) * view->element_offset % 8 != 0) {
    return std::optional<View>();
  }
  const Slot& source = slot(node.inputs[view->input]);
  if (source.place == Place::Unused) return std::optional<View>();
  if (is_owned(id)) {
    // An output must not hand out memory of somebody else's for the caller to keep. A body may, all of an input: who
    // runs the body gets it shared or as a copy (Program::resume), and a cache that a branch hands through is not
    // copied.
    const bool whole = source.shape && source.shape->count() == s.shape->count();
    if (!parts_.options.own_outputs || source.place != Place::Input || !whole) return std::optional<View>();
  }
  NM_TRY(check_view(*view, source.type.dtype, *source.shape, s.type.dtype, *s.shape));
  return view;
}

size_t Planner::bytes_behind(const View& view, DType dtype) {
  return static_cast<size_t>(static_cast<int64_t>(dtype_bits(dtype)) * view.element_offset / 8);
}

Result<bool> Planner::assign_view(uint32_t n, const Node& node, Operator& op, const Inference& inference, size_t o) {
  NM_ASSIGN(const std::optional<View> view, view_of(node, op, inference, o));
  if (!view) return false;
  const ValueId id = node.outputs[o], source_id = node.inputs[view->input];
  Slot& s = slot(id);
  const Slot& source = slot(source_id);
  switch (source.place) {
    case Place::Constant:
      s.value = take_view(*source.value.tensor(), *view, s.type.dtype, *s.shape);
      break;
    case Place::Input:
      plan_->input_views.push_back(id);
      break;
    case Place::Arena:
      extend(root(source_id), id, n);
      break;
    case Place::Heap: {
      const auto allocated = allocated_.find(source_id);
      if (allocated == allocated_.end()) return false;
      plan_->steps[allocated->second].views.push_back(id);
      allocated_.emplace(id, allocated->second);
      break;
    }
    case Place::Unused:
      return false;
  }
  s.place = source.place;
  s.is_view = true;
  s.within = source_id;
  s.behind = bytes_behind(*view, s.type.dtype);
  return true;
}

// A buffer lives until the last use of everything that shares it.
void Planner::extend(ValueId root_id, ValueId id, uint32_t n) {
  int32_t& last = last_use_[root_id];
  last = std::max({last, last_use_[id], static_cast<int32_t>(n)});
}

void Planner::assign_memory(uint32_t n, const Node& node, Operator& op, const Inference& inference, size_t o,
                            Step& step) {
  const ValueId id = node.outputs[o];
  Slot& s = slot(id);
  const bool known = s.shape && s.type.is_tensor() && s.type.dtype != DType::Undefined;
  if (!known || s.type.dtype == DType::String || is_owned(id)) {
    s.place = Place::Heap;
    if (known) {
      step.allocate.push_back(id);
      if (s.type.dtype != DType::String) allocated_[id] = plan_->steps.size();
      const bool may_stay = selection::has<selection::Part::States> && kept_[id];
      const auto past = may_stay ? op.growth(inference, o) : std::nullopt;
      if (past) longer_[id] = node.inputs[*past];
      // What a subgraph captures is held outside, too: it would be copied first.
      const bool may_rewrite = may_stay && !parts_.options.own_outputs;
      const auto before = may_rewrite ? op.rewrites(inference, o) : std::nullopt;
      if (before) rewriters_[id] = {n, node.inputs[*before]};
    } else {
      step.infer = true;
    }
    return;
  }
  s.place = Place::Arena;
  first_[id] = static_cast<int32_t>(n);
  last_use_[id] = std::max(last_use_[id], static_cast<int32_t>(n));
  if (o != 0) return;
  for (size_t i = 0; i < node.explicit_inputs; ++i) {
    if (take_over(n, node, op, i, id)) break;
  }
}

// Lets output 0 live in input i's memory when that ends here and has the same size.
bool Planner::take_over(uint32_t n, const Node& node, Operator& op, size_t i, ValueId id) {
  const ValueId source_id = node.inputs[i];
  if (source_id == kNone || !op.in_place(i)) return false;
  const Slot& source = slot(source_id);
  if (source.place != Place::Arena || !source.shape) return false;
  Slot& target = slot(id);
  if (*source.shape != *target.shape || dtype_bits(source.type.dtype) != dtype_bits(target.type.dtype)) return false;
  const ValueId owner = root(source_id);
  if (last_use_[owner] != static_cast<int32_t>(n)) return false;
  // Another input must not lie in the same memory, which would be overwritten too early; the same value may, where
  // the operator could as well take that one's place.
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    const ValueId other = node.inputs[k];
    if (k == i || other == kNone || (other == source_id && op.in_place(k))) continue;
    if (slot(other).place == Place::Arena && root(other) == owner) return false;
  }
  first_.erase(id);
  target.within = source_id;
  extend(owner, id, n);
  return true;
}

Status Planner::place() {
  plan_->arena_bytes = Size(place_blocks(plan_->blocks));
  plan_->live_bytes = live_bytes(plan_->blocks);
  const auto largest = std::max_element(plan_->blocks.begin(), plan_->blocks.end(),
                                        [](const ArenaBlock& a, const ArenaBlock& b) { return a.bytes < b.bytes; });
  if (largest != plan_->blocks.end()) {
    plan_->largest = plan_->in_blocks[static_cast<size_t>(largest - plan_->blocks.begin())];
  }
  if (!plan_->arena_bytes.addressable()) return no_arena(graph_, *plan_);
  for (size_t i = 0; i < plan_->blocks.size(); ++i) {
    slot(plan_->in_blocks[i]).offset = static_cast<size_t>(plan_->blocks[i].offset);
  }
  // Nodes are in order, so a source's offset is final before those that live in it are reached.
  for (const Node& node : graph_.nodes) {
    for (const ValueId id : node.outputs) {
      if (id == kNone || slot(id).place != Place::Arena || slot(id).within == kNone) continue;
      slot(id).offset = slot(slot(id).within).offset + slot(id).behind;
    }
  }
  return {};
}

// By value: does anybody read it who needs all elements one after the other? What is computed while planning is not.
PerValue<bool> Planner::read_densely() {
  PerValue<bool> densely(graph_);
  for (size_t n = graph_.nodes.size(); n-- > 0;) {
    const Node& node = graph_.nodes[n];
    for (size_t i = 0; plan_->fates[n] == Fate::Step && i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNone || parts_.operators[n]->takes_growing(i)) continue;
      densely[node.inputs[i]] = true;
    }
    for (const ValueId id : node.outputs) {
      if (id == kNone || !slot(id).is_view) continue;
      const bool whole = *slot(id).shape == *slot(slot(id).within).shape;
      if (!whole || densely[id]) densely[slot(id).within] = true;
    }
  }
  return densely;
}

// State that the caller keeps and gives to the next run grows in place where all that read it take it as it then lies.
// An input that is read in no other way may be state that grows in a subgraph.
void Planner::let_grow() {
  if constexpr (!selection::has<selection::Part::States>) return;
  const PerValue<bool> densely = read_densely();
  for (const ValueId id : parts_.input_ids) slot(id).growing = !densely[id] && slot(id).shape;
  for (const ValueId id : graph_.outputs) {
    if (slot(id).place == Place::Input) slot(root(id)).growing = false;
  }
  for (const auto& [id, rewriter] : rewriters_) slot(rewriter.second).growing = false;
  for (const auto& [id, past] : longer_) {
    const bool dense = densely[id] || densely[past];
    if (slot(past).place != Place::Input || dense) continue;
    slot(id).growing = slot(past).growing = true;
    std::erase(plan_->steps[allocated_[id]].allocate, id);
  }
  for (const Node& node : graph_.nodes) {
    for (const ValueId id : node.outputs) {
      if (id != kNone && slot(id).is_view && slot(slot(id).within).growing) slot(id).growing = true;
    }
  }
}

// State of a fixed length is written in place where nobody reads afterwards what it was.
void Planner::let_rewrite() {
  for (const auto& [id, rewriter] : rewriters_) {
    const auto [n, past] = rewriter;
    if (!may_rewrite(id, past, n)) continue;
    slot(id).rewrites = past;
    Step& step = plan_->steps[allocated_[id]];
    step.rewritten.push_back(id);
    std::erase(step.allocate, id);
  }
}

bool Planner::may_rewrite(ValueId id, ValueId past, uint32_t n) {
  const Slot& from = slot(past);
  const Slot& to = slot(id);
  if (from.place != Place::Input || from.is_view || from.growing || !from.shape) return false;
  if (from.type.dtype != to.type.dtype || is_packed(to.type.dtype) || *from.shape != *to.shape) return false;
  if (last_use_[past] != static_cast<int32_t>(n)) return false;
  const std::vector<ValueId>& inputs = graph_.nodes[n].inputs;
  if (std::count(inputs.begin(), inputs.end(), past) > 1) return false;
  return std::none_of(plan_->input_views.begin(), plan_->input_views.end(),
                      [&](ValueId view) { return root(view) == past && last_use_[view] >= static_cast<int32_t>(n); });
}

void Planner::bind_steps() {
  for (Step& step : plan_->steps) {
    const Node& node = graph_.nodes[step.node];
    std::vector<const Value*> inputs;
    for (const ValueId id : node.inputs) {
      inputs.push_back(id == kNone ? nullptr : &slot(id).value);
      if (id != kNone && slot(id).place == Place::Heap && last_use_[id] == static_cast<int32_t>(step.node)) {
        step.release.push_back(id);
      }
    }
    std::vector<Value*> outputs;
    StoredOutputs stored{};
    for (const ValueId id : node.outputs) {
      if (id != kNone && outputs.size() < stored.size()) stored[outputs.size()] = slot(id).stored;
      outputs.push_back(id == kNone ? nullptr : &slot(id).value);
      if (id != kNone && slot(id).place == Place::Heap && last_use_[id] < 0) {
        step.release.push_back(id);
      }
    }
    step.execution.emplace(parts_.scratch, parts_.control, std::move(inputs), std::move(outputs), stored);
  }
}

Result<std::unique_ptr<Plan>> make_plan(const PlanParts& parts, const std::vector<Value>& inputs) {
  return Planner(parts, std::make_unique<Plan>()).make(inputs);
}

}  // namespace nm
