// Operators that the engine does not have and its host computes (see nm_custom_operator in engine/c_api.h): the host
// declares them before a model is loaded, the nodes of their names are marked as custom, and a run that comes to one
// is suspended until the host has given the node's outputs.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/selection.h"
#include "engine/base/status.h"
#include "engine/graph/graph.h"
#include "engine/tensor/value.h"

namespace nm {

class Execution;
struct OperatorEntry;

// What an output is like. Without a type it has that of the input that it is like, or else of input 0.
struct CustomOutput {
  DType type = DType::Undefined;
  int32_t like = -1;  // the input whose shape it has; -1: its shape is known when the host has computed it
};

struct CustomOperator {
  std::string domain;
  std::string name;
  std::vector<CustomOutput> outputs;  // none: any number, each without a type and like no input
};

// Marks the nodes of these operators in the graph and its subgraphs. Refuses those that the engine has an operator for,
// and those that a run could not wait for.
Status mark_custom(Graph& graph, std::span<const CustomOperator> operators);

inline bool is_custom(const Node& node) { return selection::kCustomOperators && node.custom; }

// How the registry knows every custom node.
const OperatorEntry& custom_entry();

// A custom node that a run waits for.
class CustomCall {
 public:
  virtual ~CustomCall() = default;
  // JSON, the same text at every call of one node; see nm_waiting.
  virtual const std::string& description() const = 0;
  // nullptr where there is none.
  virtual const Value* attribute(size_t i) const = 0;
  virtual const Value* input(size_t i) const = 0;
  // Output o, after a check of its type.
  virtual Status give(size_t o, Value value) = 0;
};

}  // namespace nm
