// A ScatterND whose data is transposed before and back behind it writes where the data lies. For
// `cache[:, :, positions] = rows` exporters bring the axis that is indexed to the front.
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

using Axes = std::vector<int64_t>;

bool are_inverse(const Axes& first, const Axes& second) {
  for (size_t i = 0; i < second.size(); ++i) {
    if (first[static_cast<size_t>(second[i])] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

bool is_plain_scatter(const Node& n) {
  return n.is("ScatterND") && !n.attributes.contains("nm_perm") &&
         attribute(n, "reduction", std::string("none")) == "none";
}

}  // namespace

Result<bool> fuse_scatter(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (Node& back : graph.nodes) {
    if (!back.is("Transpose") || !uses.single_reader(back.inputs[0])) continue;
    const uint32_t at = uses.producer[back.inputs[0]];
    if (at == kNoNode || !is_plain_scatter(graph.nodes[at])) continue;
    const Node& scatter = graph.nodes[at];
    const uint32_t before = uses.producer[scatter.inputs[0]];
    if (before == kNoNode || !graph.nodes[before].is("Transpose")) continue;
    const Node& first = graph.nodes[before];
    const auto& shape = graph.value(scatter.inputs[0]).shape;
    if (!shape) continue;
    const Axes perm = permutation(first, shape->rank());
    if (!are_inverse(perm, permutation(back, shape->rank()))) continue;
    // The last of the three nodes becomes the new one, so that its value stays what it is for its readers.
    Node fused = scatter;
    fused.inputs[0] = first.inputs[0];
    fused.outputs = back.outputs;
    fused.attributes["nm_perm"] = perm;
    back = std::move(fused);
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
