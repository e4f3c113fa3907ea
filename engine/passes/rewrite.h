// What passes share: who reads and writes a value, redirecting readers, dropping what nobody needs.
#pragma once
#include <cstdint>
#include <vector>

#include "engine/graph/graph.h"

namespace nm {

struct Uses {
  std::vector<int32_t> producer;               // node index by value; -1: an input, a constant, a capture
  std::vector<std::vector<uint32_t>> readers;  // node indices by value, in order, once per input
  std::vector<bool> is_output;                 // of the graph

  explicit Uses(const Graph& graph);
  // Exactly one node reads the value, and the graph does not hand it out.
  bool single_reader(ValueId id) const {
    return readers[static_cast<size_t>(id)].size() == 1 && !is_output[static_cast<size_t>(id)];
  }
};

// Makes every reader of `from`, the graph's outputs included, read `to`.
void replace_value(Graph& graph, ValueId from, ValueId to);

// Removes nodes (and constants' memory) that no output depends on. Returns whether there were any.
bool remove_dead_nodes(Graph& graph);

// The float in a constant of one element; nothing otherwise.
std::optional<float> scalar_constant(const Graph& graph, ValueId id);

}  // namespace nm
