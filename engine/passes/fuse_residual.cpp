// A convolution or matrix product followed by an Add of a value of the same shape takes that value as its residual
// input: what skip connections are. Without an activation in between the sum comes before whatever activation is fused
// later.
#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

bool same_known_shape(const GraphValue& a, const GraphValue& b) {
  if (!a.shape || !b.shape || !(*a.shape == *b.shape)) return false;
  for (const int64_t d : *a.shape) {
    if (d == kUnknownDim) return false;
  }
  return true;
}

// The product that can take over the Add's other operand: input `side` of the Add is what it computes.
Node* product_of(Graph& graph, const Uses& uses, const Node& add, size_t side) {
  const ValueId sum = add.inputs[side], other = add.inputs[1 - side];
  const uint32_t at = uses.producer[sum];
  if (at == kNoNode || !uses.single_reader(sum)) return nullptr;
  Node& conv = graph.nodes[at];
  const bool matrices = conv.is("MatMul") || conv.is("FusedMatMul", kMicrosoftDomain);
  if ((!matrices && !conv.is("Conv")) || conv.outputs[0] != sum || conv.input(3) != kNone) return nullptr;
  if (matrices && conv.attributes.contains("nm_activation")) return nullptr;
  const GraphValue &a = graph.value(sum), &b = graph.value(other);
  if (a.type.dtype != DType::Float32 || b.type.dtype != DType::Float32) return nullptr;
  if (!same_known_shape(a, b)) return nullptr;
  // Of convolutions beyond planes sums go through the residual themselves.
  return matrices || a.shape->rank() <= 4 || !conv.attributes.contains("nm_activation") ? &conv : nullptr;
}

}  // namespace

Result<bool> fuse_residual(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (Node& add : graph.nodes) {
    if (!add.is("Add") || add.version < 7 || add.inputs.size() != 2) continue;
    Node* convs[] = {product_of(graph, uses, add, 0), product_of(graph, uses, add, 1)};
    // Of two the later one, so that the other is done by then.
    const size_t side = convs[0] == nullptr || (convs[1] != nullptr && convs[1] > convs[0]) ? 1 : 0;
    if (convs[side] == nullptr) continue;
    // The Conv moves to the Add's place, where the residual is sure to be there. Its old node is left as the Add was,
    // with an output that nobody reads.
    std::swap(add, *convs[side]);
    Node &conv = add, &old = *convs[side];
    conv.inputs.resize(4, kNone);
    conv.explicit_inputs = 4;
    conv.inputs[3] = old.inputs[1 - side];
    std::swap(conv.outputs, old.outputs);
    if (conv.attributes.contains("nm_activation")) conv.attributes["nm_residual_last"] = int64_t{1};
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
