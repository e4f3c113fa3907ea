// A plan for other shapes than it was made for. Generated text lengthens a few values with each token, and most of a
// graph does not notice: only nodes that read something that changed are looked at again.
#include <algorithm>

#include "engine/op/evaluate.h"
#include "engine/program/planner.h"

namespace nm {
namespace {

// Blocks that have grown get room to grow on: placing them anew takes longer than all else here.
uint64_t with_room(uint64_t bytes) { return bytes + bytes / 4; }

}  // namespace

Result<std::unique_ptr<Plan>> Planner::update(const std::vector<Value>& inputs) {
  if (!take_inputs(inputs)) return std::unique_ptr<Plan>();
  for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
    if (plan_->fates[n] == Fate::Nothing) continue;
    const Node& node = graph_.nodes[n];
    const bool touched =
        std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return id != kNone && changed_[id]; });
    if (!touched) continue;
    auto same = update_node(n, node);
    if (!same.ok()) return same.take_status().at(node.op_type, node.name);
    if (!*same) return std::unique_ptr<Plan>();
  }
  NM_TRY(grow());
  plan_->bound_to = nullptr;  // views of the arena have other shapes
  return std::move(plan_);
}

bool Planner::take_inputs(const std::vector<Value>& inputs) {
  for (size_t i = 0; i < parts_.input_ids.size(); ++i) {
    const ValueId id = parts_.input_ids[i];
    Slot& s = slot(id);
    const Shape* shape = inputs[i].shape();
    if ((shape != nullptr) != s.shape.has_value()) return false;
    if (shape == nullptr) continue;
    if (s.type.dtype != type_of(inputs[i]).dtype || s.shape->rank() != shape->rank()) return false;
    changed_[id] = *s.shape != *shape;
    s.shape = *shape;
  }
  return true;
}

Result<bool> Planner::update_node(uint32_t n, const Node& node) {
  Operator& op = *parts_.operators[n];
  Inference inference = inference_of(node, plan_->slots);
  NM_TRY(infer(node, op, inference));
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    Slot& s = slot(node.outputs[o]);
    const Inference::Output& said = inference.output_slot(o);
    if (said.type.is_tensor() != s.type.is_tensor()) return false;
    if (said.type.dtype != DType::Undefined && said.type.dtype != s.type.dtype) return false;
    if ((said.shape && said.shape->known()) != s.shape.has_value()) return false;
    if (!s.shape) continue;
    changed_[node.outputs[o]] = *s.shape != *said.shape;
    s.shape = said.shape;
  }
  NM_ASSIGN(const bool folded, fold(node, op, inference));
  if (folded != (plan_->fates[n] == Fate::Folded)) return false;
  for (size_t o = 0; o < node.outputs.size() && !folded; ++o) {
    if (node.outputs[o] == kNone) continue;
    NM_ASSIGN(const bool same, update_output(node, op, inference, o));
    if (!same) return false;
  }
  return true;
}

Result<bool> Planner::update_output(const Node& node, Operator& op, const Inference& inference, size_t o) {
  Slot& s = slot(node.outputs[o]);
  NM_ASSIGN(const std::optional<View> view, view_of(node, op, inference, o));
  if (s.is_view) {
    if (!view || node.inputs[view->input] != s.within) return false;
    if (s.growing && *s.shape != *slot(s.within).shape) return false;
    const size_t behind = bytes_behind(*view, s.type.dtype);
    // What lies behind it in the same memory has its own offset from here.
    if (s.place == Place::Arena && behind != s.behind) return false;
    s.behind = behind;
    if (s.place != Place::Constant) return true;
    s.value = take_view(*slot(s.within).value.tensor(), *view, s.type.dtype, *s.shape);
    changed_[node.outputs[o]] = true;
    return true;
  }
  // It could now be a view: then nothing would have to be computed, and the steps are others.
  if (view) return false;
  if (s.growing && !op.growth(inference, o)) return false;
  if (s.rewrites != kNone && *slot(s.rewrites).shape != *s.shape) return false;
  return s.within == kNone || *slot(s.within).shape == *s.shape;
}

Status Planner::grow() {
  bool outgrown = false;
  for (size_t i = 0; i < plan_->blocks.size(); ++i) {
    const Slot& s = slot(plan_->in_blocks[i]);
    const Size bytes = tensor_bytes(s.type.dtype, *s.shape);
    if (bytes.number() <= plan_->blocks[i].bytes) continue;
    plan_->blocks[i].bytes = bytes.addressable() ? with_room(bytes.number()) : bytes.number();
    outgrown = true;
  }
  return outgrown ? place() : Status();
}

Result<std::unique_ptr<Plan>> update_plan(const PlanParts& parts, std::unique_ptr<Plan> plan,
                                          const std::vector<Value>& inputs) {
  return Planner(parts, std::move(plan)).update(inputs);
}

}  // namespace nm
