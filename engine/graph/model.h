// A model apart from any file format: its graph, and what a session says of it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"

namespace nm {

// An input or an output as its caller sees it.
struct Port {
  std::string name;
  ValueType type;
  std::optional<Shape> shape;
};

// Of the model as its author wrote it, whatever passes have made of the graph since.
struct ModelFacts {
  std::string name;
  std::string producer;
  std::vector<std::pair<std::string, int64_t>> opsets;  // by domain
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::vector<std::pair<std::string, int64_t>> operators;  // how many nodes of each, sorted by name
  std::vector<std::string> warnings;
  int64_t nodes = 0;
  int64_t weight_bytes = 0;
};

struct Model {
  std::shared_ptr<Graph> graph;
  ModelFacts facts;
};

// Of the constants that are still there.
size_t constant_bytes(const Graph& graph);

}  // namespace nm
