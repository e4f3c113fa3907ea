#include "engine/program/plan.h"

namespace nm {

Inference inference_of(const Node& node, const PerValue<Slot>& slots) {
  Inference inference(node.inputs.size(), node.outputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const Slot& s = slots[node.inputs[i]];
    Inference::Input& in = inference.input_slot(i);
    in.present = true;
    in.type = s.type;
    in.shape = s.shape;
    if (s.place == Place::Constant && s.value.tensor()->raw() != nullptr) in.value = s.value.tensor();
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) inference.output_slot(o).wanted = node.outputs[o] != kNone;
  return inference;
}

Status no_arena(const Graph& graph, const Plan& plan) {
  std::string what = "intermediate results";
  if (plan.largest != kNone) {
    const Slot& s = plan.slots[plan.largest];
    what += text(" (the largest, '", graph.value(plan.largest).name, "', is ", describe(s.type.dtype, *s.shape), ")");
  }
  return no_memory(what, plan.arena_bytes);
}

void Plan::forget_inputs(const Graph& graph) {
  // Outputs may be inputs, or views of them.
  for (const ValueId id : graph.outputs) {
    const Slot& s = slots[id];
    if (s.place == Place::Input) return;
  }
  for (Slot& s : slots) {
    if (s.place == Place::Input) s.forget();
  }
}

void Plan::forget_values() {
  for (Slot& s : slots) {
    if (s.place == Place::Input || s.place == Place::Heap) s.forget();
  }
}

void Plan::bind_view(ValueId id) {
  Slot& s = slots[id];
  Value& whole = slots[s.within].value;
  if (whole.growing() != nullptr) {
    s.value = whole;
    return;
  }
  Tensor& source = *whole.tensor();
  s.value = Tensor::view(s.type.dtype, *s.shape, static_cast<uint8_t*>(source.raw()) + s.behind, source.owner());
}

void Plan::bind_arena(uint8_t* base) {
  if (base == bound_to) return;
  for (Slot& s : slots) {
    if (s.place == Place::Arena) s.value = Tensor::view(s.type.dtype, *s.shape, base + s.offset);
  }
  bound_to = base;
}

}  // namespace nm
