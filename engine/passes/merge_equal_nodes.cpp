// Nodes that compute the same from the same inputs become one: exporters quantise, transpose or measure a value anew
// for each of its readers.
#include <map>
#include <tuple>

#include "engine/ops/operator.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

// Attributes that are numbers and texts can be compared; others differ.
bool equal(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  const auto same = [&]<class T>(T*) {
    const T* x = std::get_if<T>(&a);
    return x != nullptr && *x == *std::get_if<T>(&b);
  };
  return same(static_cast<int64_t*>(nullptr)) || same(static_cast<float*>(nullptr)) ||
         same(static_cast<std::string*>(nullptr)) || same(static_cast<std::vector<int64_t>*>(nullptr)) ||
         same(static_cast<std::vector<float>*>(nullptr)) || same(static_cast<std::vector<std::string>*>(nullptr));
}

bool equal(const Node& a, const Node& b) {
  if (a.version != b.version || a.outputs.size() != b.outputs.size() || a.attributes.size() != b.attributes.size()) {
    return false;
  }
  for (const auto& [name, value] : a.attributes) {
    const auto other = b.attributes.find(name);
    if (other == b.attributes.end() || !equal(value, other->second)) return false;
  }
  for (size_t o = 0; o < a.outputs.size(); ++o) {
    if ((a.outputs[o] == kNone) != (b.outputs[o] == kNone)) return false;
  }
  return true;
}

}  // namespace

Result<bool> merge_equal_nodes(Graph& graph) {
  // In order, so that readers of merged values may become equal themselves.
  std::vector<ValueId> same(graph.values.size());
  for (size_t i = 0; i < same.size(); ++i) same[i] = static_cast<ValueId>(i);
  std::vector<bool> is_output(graph.values.size());
  for (const ValueId id : graph.outputs) is_output[static_cast<size_t>(id)] = true;
  using Key = std::tuple<std::string_view, std::string_view, std::vector<ValueId>>;
  std::multimap<Key, size_t> seen;
  bool changed = false;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    for (ValueId& id : node.inputs) {
      if (id != kNone) id = same[static_cast<size_t>(id)];
    }
    if (node.inputs.size() != node.explicit_inputs || node.inputs.empty()) continue;
    bool handed_out = false;
    for (const ValueId id : node.outputs)
      handed_out = handed_out || (id != kNone && is_output[static_cast<size_t>(id)]);
    const Key key{node.domain, node.op_type, node.inputs};
    const auto [begin, end] = seen.equal_range(key);
    auto twin = begin;
    while (twin != end && !equal(graph.nodes[twin->second], node)) ++twin;
    if (twin == end) {
      seen.emplace(key, n);
      continue;
    }
    if (handed_out) continue;
    NM_ASSIGN(const OperatorPtr op, create_operator(node));
    if (!op->pure()) continue;
    const Node& first = graph.nodes[twin->second];
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNone) same[static_cast<size_t>(node.outputs[o])] = first.outputs[o];
    }
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
