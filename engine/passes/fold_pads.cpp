// A Pad of zeros around an image becomes part of the convolution, or of the average that counts it, behind it.
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

using Pads = std::vector<int64_t>;

constexpr int64_t kMost = int64_t{1} << 30;  // sums of pads stay far from overflow

// Of all dimensions, all starts before all ends; empty for another kind of Pad.
Pads zeros_around(const Graph& graph, const Node& pad, int rank) {
  if (!pad.is("Pad") || attribute(pad, "mode", std::string("constant")) != "constant") return {};
  Pads pads = attribute(pad, pad.version < 2 ? "paddings" : "pads", Pads());
  if (pad.version >= 11) {
    const Tensor* t = graph.constant(pad.input(1));
    if (t == nullptr || t->raw() == nullptr || t->dtype() != DType::Int64 || pad.input(3) != kNone) return {};
    if (pad.input(2) != kNone && scalar_constant(graph, pad.input(2)) != 0.f) return {};
    pads.assign(t->data<int64_t>(), t->data<int64_t>() + t->count());
  } else if (attribute(pad, "value", 0.f) != 0) {
    return {};
  }
  if (static_cast<int>(pads.size()) != 2 * rank) return {};
  for (int i = 0; i < 2 * rank; ++i) {
    const int64_t p = pads[static_cast<size_t>(i)];
    if (p < 0 || p > kMost || (i % rank < 2 && p != 0)) return {};
  }
  return pads;
}

bool takes_pads(const Node& n) {
  const bool average = n.is("AveragePool") && attribute(n, "count_include_pad", int64_t{0}) == 1 &&
                       attribute(n, "ceil_mode", int64_t{0}) == 0;
  const std::string how = attribute(n, "auto_pad", std::string("NOTSET"));
  return (n.is("Conv") || average) && (how == "NOTSET" || how == "VALID");
}

}  // namespace

Result<bool> fold_pads(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!takes_pads(node)) continue;
    const ValueId padded = node.inputs[0];
    const uint32_t at = uses.producer[padded];
    const auto& shape = graph.value(padded).shape;
    if (at == kNoNode || !shape || shape->rank() < 3 || !uses.single_reader(padded)) continue;
    const Node& pad = graph.nodes[at];
    const int rank = shape->rank();
    const Pads around = zeros_around(graph, pad, rank);
    if (around.empty()) continue;
    const bool valid = attribute(node, "auto_pad", std::string()) == "VALID";  // then pads say nothing
    Pads pads = valid ? Pads() : attribute(node, "pads", Pads());
    const size_t spatial = around.size() / 2 - 2;
    pads.resize(2 * spatial);
    for (size_t i = 0; i < spatial; ++i) {
      pads[i] += around[i + 2];
      pads[i + spatial] += around[i + 4 + spatial];
    }
    node.attributes.erase("auto_pad");
    node.attributes["pads"] = std::move(pads);
    node.inputs[0] = pad.inputs[0];
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
