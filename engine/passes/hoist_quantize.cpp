// QuantizeLinear moves up through operators that only move data, so that they move bytes, and meets DequantizeLinear
// there; a pair with the same scale and zero point vanishes.
#include "engine/passes/passes.h"
#include "engine/passes/quantized.h"

namespace nm {
namespace {

bool moves_data(const Node& n) {
  for (const std::string_view type : {"Concat", "Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}) {
    if (n.is(type)) return n.explicit_inputs == n.inputs.size();
  }
  return false;
}

// The movement behind node `at` that it can change places with, and how many of its inputs are data.
std::optional<size_t> movement_before(const Graph& graph, const Uses& uses, const Node& quantize) {
  const int32_t from = uses.producer[static_cast<size_t>(quantize.input(0))];
  if (from < 0 || !uses.single_reader(quantize.input(0))) return std::nullopt;
  const Node& mover = graph.nodes[static_cast<size_t>(from)];
  if (!moves_data(mover)) return std::nullopt;
  const size_t data = mover.is("Concat") ? mover.inputs.size() : 1;
  for (size_t i = 0; i < data; ++i) {
    if (mover.input(i) == kNone || graph.value(mover.inputs[i]).is_constant()) return std::nullopt;
  }
  return static_cast<size_t>(from);
}

void change_places(Graph& graph, size_t quantize, size_t mover) {
  const DType bytes = graph.value(graph.nodes[quantize].outputs[0]).type.dtype;
  Node move = std::move(graph.nodes[mover]);
  std::vector<Node> quantizers;
  const size_t data = move.is("Concat") ? move.inputs.size() : 1;
  for (size_t i = 0; i < data; ++i) {
    Node q = graph.nodes[quantize];
    GraphValue v;
    v.name = graph.value(move.inputs[i]).name + ".quantized";
    v.type = ValueType::tensor(bytes);
    v.shape = graph.value(move.inputs[i]).shape;
    q.inputs[0] = move.inputs[i];
    move.inputs[i] = graph.add_value(std::move(v));
    q.outputs[0] = move.inputs[i];
    quantizers.push_back(std::move(q));
  }
  move.outputs = graph.nodes[quantize].outputs;
  graph.nodes[quantize] = std::move(move);
  graph.nodes[mover] = std::move(quantizers.back());
  quantizers.pop_back();
  graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(mover),
                     std::make_move_iterator(quantizers.begin()), std::make_move_iterator(quantizers.end()));
}

bool hoist_one(Graph& graph, size_t& from) {
  const Uses uses(graph);
  for (; from < graph.nodes.size(); ++from) {
    if (!quantizer(graph, graph.nodes[from])) continue;
    const auto mover = movement_before(graph, uses, graph.nodes[from]);
    if (!mover) continue;
    change_places(graph, from, *mover);
    from = *mover;  // what has moved up may move on
    return true;
  }
  return false;
}

bool drop_pairs(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const auto to = quantizer(graph, graph.nodes[n]);
    const int32_t at = to ? uses.producer[static_cast<size_t>(to->values)] : -1;
    if (at < 0) continue;
    const auto from = dequantizer(graph, graph.nodes[static_cast<size_t>(at)]);
    if (!from || from->by != to->by || from->zero_point != to->zero_point || from->dtype != to->dtype) continue;
    const ValueId out = graph.nodes[n].outputs[0];
    if (uses.is_output[static_cast<size_t>(out)]) continue;
    replace_value(graph, out, from->values);
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace

Result<bool> hoist_quantize(Graph& graph) {
  bool changed = false;
  for (size_t from = 0; hoist_one(graph, from);) changed = true;
  return drop_pairs(graph) || changed;
}

}  // namespace nm
