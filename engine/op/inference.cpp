#include "engine/op/inference.h"

#include "engine/base/reserve.h"
#include "engine/tensor/integers.h"

namespace nm {

Inference::Inference(const Graph& graph, const Node& node) : Inference(node.inputs.size(), node.outputs.size()) {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const GraphValue& v = graph.value(node.inputs[i]);
    inputs_[i] = {v.type, v.shape, v.is_constant() && v.constant.raw() != nullptr ? &v.constant : nullptr, true};
  }
  for (size_t o = 0; o < outputs_.size(); ++o) outputs_[o].wanted = node.outputs[o] != kNone;
}

std::optional<std::vector<int64_t>> Inference::integers(size_t i) const {
  const Tensor* t = value(i);
  if (t == nullptr || !is_index(t->dtype()) || !room_for("a list of integers", Size(t->count()) * sizeof(int64_t)).ok())
    return std::nullopt;
  return nm::integers(*t);
}

}  // namespace nm
