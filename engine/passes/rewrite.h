// What passes share: who reads and writes a value, redirecting readers, dropping what nobody needs.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/graph/per_value.h"

namespace nm {

inline constexpr uint32_t kNoNode = UINT32_MAX;

struct Uses {
  PerValue<uint32_t> producer;              // node index; kNoNode: an input, a constant, a capture
  PerValue<std::vector<uint32_t>> readers;  // node indices, in order, once per input
  PerValue<bool> is_output;                 // of the graph

  explicit Uses(const Graph& graph);
  // Exactly one node reads the value, and the graph does not hand it out.
  bool single_reader(ValueId id) const { return readers[id].size() == 1 && !is_output[id]; }
};

// Makes every reader of `from`, the graph's outputs included, read `to`.
void replace_value(Graph& graph, ValueId from, ValueId to);

// Removes nodes (and constants' memory) that no output depends on. Returns whether there were any.
bool remove_dead_nodes(Graph& graph);

bool is_float32(const GraphValue& value);

// The float in a constant of one element; nothing otherwise.
std::optional<float> scalar_constant(const Graph& graph, ValueId id);

// An attribute; the fallback where it is missing or of another type.
template <class T>
T attribute(const Node& node, std::string_view name, const T& fallback) {
  const auto it = node.attributes.find(name);
  const T* v = it == node.attributes.end() ? nullptr : std::get_if<T>(&it->second);
  return v != nullptr ? *v : fallback;
}

// Where each dimension of a Transpose's output comes from; reversed when the node does not say.
std::vector<int64_t> permutation(const Node& transpose, int rank);

// What a Clip keeps its input within; nothing when that is not known, or when low > high.
struct Bounds {
  float low, high;
};
std::optional<Bounds> clip_bounds(const Graph& graph, const Node& clip);

}  // namespace nm
