// QuantizeLinear moves up through operators that only move data, so that they move bytes, and meets DequantizeLinear
// there; a pair with the same scale and zero point vanishes.
#include <map>

#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/quantized.h"

namespace nm {
namespace {

// How many of the node's inputs it only moves.
size_t moved_inputs(const Node& n) {
  const Moves moves = facts_of(n).moves;
  return moves == Moves::All ? n.inputs.size() : moves == Moves::First ? 1 : 0;
}

// The node before a QuantizeLinear that it can change places with.
std::optional<size_t> movement_before(const Graph& graph, const Uses& uses, const Node& quantize) {
  const uint32_t from = uses.producer[quantize.input(0)];
  if (from == kNoNode || !uses.single_reader(quantize.input(0))) return std::nullopt;
  const Node& mover = graph.nodes[from];
  const size_t data = moved_inputs(mover);
  if (data == 0) return std::nullopt;
  for (size_t i = 0; i < data; ++i) {
    if (mover.input(i) == kNone || graph.value(mover.inputs[i]).is_constant()) return std::nullopt;
  }
  return from;
}

// The quantizers of the mover's data, of which `quantize` is the pattern; the mover then reads what they make and takes
// the place of `quantize`.
std::vector<Node> change_places(Graph& graph, Node& quantize, Node& mover) {
  const DType bytes = graph.value(quantize.outputs[0]).type.dtype;
  std::vector<Node> quantizers;
  const size_t data = moved_inputs(mover);
  for (size_t i = 0; i < data; ++i) {
    Node q = quantize;
    GraphValue v;
    v.name = graph.value(mover.inputs[i]).name + ".quantized";
    v.type = ValueType::tensor(bytes);
    v.shape = graph.value(mover.inputs[i]).shape;
    q.inputs[0] = mover.inputs[i];
    mover.inputs[i] = graph.add_value(std::move(v));
    q.outputs[0] = mover.inputs[i];
    quantizers.push_back(std::move(q));
  }
  mover.outputs = quantize.outputs;
  quantize = std::move(mover);
  return quantizers;
}

// Every QuantizeLinear up by one node, where that can be.
bool hoist(Graph& graph) {
  const Uses uses(graph);
  std::map<size_t, std::vector<Node>> instead;
  const size_t count = graph.nodes.size();
  for (size_t n = 0; n < count; ++n) {
    if (!quantizer(graph, graph.nodes[n])) continue;
    if (const auto mover = movement_before(graph, uses, graph.nodes[n])) {
      instead[*mover] = change_places(graph, graph.nodes[n], graph.nodes[*mover]);
    }
  }
  if (instead.empty()) return false;
  std::vector<Node> nodes;
  for (size_t n = 0; n < count; ++n) {
    const auto it = instead.find(n);
    if (it == instead.end()) {
      nodes.push_back(std::move(graph.nodes[n]));
    } else {
      for (Node& q : it->second) nodes.push_back(std::move(q));
    }
  }
  graph.nodes = std::move(nodes);
  return true;
}

bool drop_pairs(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const auto to = quantizer(graph, graph.nodes[n]);
    const uint32_t at = to ? uses.producer[to->values] : kNoNode;
    if (at == kNoNode) continue;
    const auto from = dequantizer(graph, graph.nodes[at]);
    if (!from || from->by != to->by || from->zero_point != to->zero_point || from->dtype != to->dtype) continue;
    const ValueId out = graph.nodes[n].outputs[0];
    if (uses.is_output[out]) continue;
    replace_value(graph, out, from->values);
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace

Result<bool> hoist_quantize(Graph& graph) {
  bool changed = false;
  while (hoist(graph)) changed = true;
  return drop_pairs(graph) || changed;
}

}  // namespace nm
