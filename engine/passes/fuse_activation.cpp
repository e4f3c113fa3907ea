// An activation behind a convolution or a matrix product becomes part of it.
#include "engine/op/registry.h"
#include "engine/ops/nn/activation.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

// The activation that a node computes of its input, where kernels have it.
std::optional<FusedActivation> activation_of(const Graph& graph, const Node& n) {
  const auto op = operator_of(n);
  if (!op.ok()) return std::nullopt;
  const std::optional<Pointwise> kernel = (*op)->pointwise(Inference(graph, n));
  return kernel ? fused_activation(*kernel) : std::nullopt;
}

bool takes_activation(const Graph& graph, const Node& n) {
  return facts_of(n).takes_activation && !n.attributes.contains("nm_activation") &&
         !n.attributes.contains("nm_residual_last") && graph.value(n.outputs[0]).type.dtype == DType::Float32;
}

}  // namespace

Result<bool> fuse_activation(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!takes_activation(graph, node) || !uses.single_reader(node.outputs[0])) continue;
    Node& next = graph.nodes[uses.readers[node.outputs[0]][0]];
    if (next.input(0) != node.outputs[0]) continue;
    const auto function = activation_of(graph, next);
    if (!function) continue;
    node.attributes["nm_activation"] = std::string(function->name());
    node.attributes["nm_activation_params"] = std::vector<float>{function->a, function->b};
    // The activation's own node now leads nowhere.
    std::swap(node.outputs[0], next.outputs[0]);
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
