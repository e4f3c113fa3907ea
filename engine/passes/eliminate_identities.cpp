// Nodes that hand an input through unchanged go away, so that other passes see who really feeds whom.
#include <algorithm>

#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

bool single(const Node& node) {
  for (size_t o = 1; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone) return false;
  }
  return !node.outputs.empty() && node.outputs[0] != kNone;
}

// Reshape and its like do nothing where the shape stays, as a comparison of symbols may tell.
bool keeps_shape(const Graph& graph, const Node& node) {
  if (!node.is("Reshape") && !node.is("Flatten") && !node.is("Expand")) return false;
  const auto &from = graph.value(node.input(0)).shape, &to = graph.value(node.outputs[0]).shape;
  return from && to && *from == *to && std::find(to->begin(), to->end(), kUnknownDim) == to->end();
}

// Each dimension stays where it is.
bool moves_nothing(const Node& node) {
  const auto perm = attribute(node, "perm", std::vector<int64_t>());
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return node.is("Transpose") && !perm.empty();
}

// The input that output 0 equals in contents, type and shape; kNone otherwise.
ValueId passed_through(const Graph& graph, const Node& node) {
  if (node.is("Identity")) return node.input(0);
  if (node.is("Cast") && node.input(0) != kNone) {
    const ValueType &from = graph.value(node.input(0)).type, &to = graph.value(node.outputs[0]).type;
    if (from.is_tensor() && from.dtype == to.dtype && from.dtype != DType::Undefined) return node.input(0);
  }
  if (keeps_shape(graph, node) || moves_nothing(node)) return node.input(0);
  // Others may be in training.
  if (node.is("Dropout") && node.version >= 7 && node.inputs.size() < 3) return node.input(0);
  const GraphValue& out = graph.value(node.outputs[0]);
  if (!out.shape || !out.shape->known() || !out.type.is_tensor() || out.type.dtype == DType::String) return kNone;
  const auto op = operator_of(node);
  if (!op.ok()) return kNone;
  Inference inference(graph, node);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (inference.has(i) && !(inference.has_shape(i) && inference.shape(i).known())) return kNone;
  }
  if (!(*op)->infer_outputs(inference).ok()) return kNone;
  const auto view = (*op)->view(inference, 0);
  if (!view || view->element_offset != 0) return kNone;
  const GraphValue& in = graph.value(node.inputs[view->input]);
  if (!(*in.shape == *out.shape) || in.type.dtype != out.type.dtype) return kNone;
  return node.inputs[view->input];
}

}  // namespace

Result<bool> eliminate_identities(Graph& graph) {
  bool changed = false;
  // Whom a value's readers shall read instead. Nodes stand in order, so a node's inputs are final when it is reached:
  // one walk over the graph does for all of them, however many there are.
  PerValue<ValueId> instead(graph, kNone);
  const auto redirect = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      if (id != kNone && instead[id] != kNone) id = instead[id];
    }
  };
  for (Node& node : graph.nodes) {
    redirect(node.inputs);
    if (!single(node)) continue;
    const ValueId from = passed_through(graph, node);
    if (from == kNone) continue;
    GraphValue& source = graph.value(from);
    if (!source.shape) source.shape = graph.value(node.outputs[0]).shape;
    instead[node.outputs[0]] = from;
    changed = true;
  }
  redirect(graph.outputs);
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
