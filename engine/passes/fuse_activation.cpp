// An activation behind a convolution or a matrix product becomes part of it.
#include "engine/ops/activation.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

struct Function {
  Activation kind = Activation::None;
  float a = 0, b = 0;
};

// The function that a node computes of its input, where kernels have it.
std::optional<Function> function_of(const Graph& graph, const Node& n) {
  if (n.domain == kMicrosoftDomain) {
    if (n.op_type == "Gelu") return Function{Activation::Gelu};
    if (n.op_type == "FastGelu" && n.input(1) == kNone) return Function{Activation::GeluTanh};
    if (n.op_type == "QuickGelu" && attribute(n, "alpha", 1.702f) == 1) return Function{Activation::Silu};
  }
  if (!n.domain.empty()) return std::nullopt;
  if (n.op_type == "Relu") return Function{Activation::Relu};
  if (n.op_type == "Sigmoid") return Function{Activation::Sigmoid};
  if (n.op_type == "Tanh") return Function{Activation::Tanh};
  if (n.op_type == "HardSwish") return Function{Activation::HardSwish};
  if (n.op_type == "LeakyRelu") return Function{Activation::LeakyRelu, attribute(n, "alpha", 0.01f)};
  if (n.op_type == "HardSigmoid") {
    return Function{Activation::HardSigmoid, attribute(n, "alpha", 0.2f), attribute(n, "beta", 0.5f)};
  }
  if (n.op_type == "Swish" && attribute(n, "alpha", 1.f) == 1) return Function{Activation::Silu};
  if (n.op_type == "Gelu") {
    const bool by_tanh = attribute(n, "approximate", std::string()) == "tanh";
    return Function{by_tanh ? Activation::GeluTanh : Activation::Gelu};
  }
  if (n.op_type == "Clip") {
    const auto bounds = clip_bounds(graph, n);
    if (bounds) return Function{Activation::Clip, bounds->low, bounds->high};
  }
  return std::nullopt;
}

bool takes_activation(const Graph& graph, const Node& n) {
  if (!n.is("Conv") && !n.is("ConvTranspose") && !n.is("Gemm") && !n.is("MatMul") &&
      !n.is("FusedMatMul", kMicrosoftDomain)) {
    return false;
  }
  return !n.attributes.contains("nm_activation") && !n.attributes.contains("nm_residual_last") &&
         graph.value(n.outputs[0]).type.dtype == DType::Float32;
}

}  // namespace

Result<bool> fuse_activation(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!takes_activation(graph, node) || !uses.single_reader(node.outputs[0])) continue;
    Node& next = graph.nodes[uses.readers[static_cast<size_t>(node.outputs[0])][0]];
    if (next.input(0) != node.outputs[0]) continue;
    const auto function = function_of(graph, next);
    if (!function) continue;
    node.attributes["nm_activation"] = std::string(activation_name(function->kind));
    node.attributes["nm_activation_params"] = std::vector<float>{function->a, function->b};
    // The activation's own node now leads nowhere.
    std::swap(node.outputs[0], next.outputs[0]);
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
