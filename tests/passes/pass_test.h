// Hand-built graphs for the tests of passes: what a graph looks like, and what it computes.
#pragma once
#include <string>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/passes/passes.h"
#include "tests/ops/operator_test.h"

namespace nm::test {

// A graph of one chain of statements:
//   GraphBuilder g;
//   const auto x = g.input({1, 3, 8, 8});
//   const auto y = g.node("Conv", 11, {x, g.random({4, 3, 3, 3})}, {{"pads", Axes{1, 1, 1, 1}}});
//   g.output(y);
class GraphBuilder {
 public:
  GraphBuilder() { graph_.symbols = std::make_shared<SymbolTable>(); }

  ValueId input(const Shape& shape);
  int64_t symbol(std::string_view name) { return graph_.symbols->dim(name); }
  ValueId constant(Tensor tensor) { return graph_.add_constant("constant", std::move(tensor)); }
  // Floats between -1 and 1, always the same.
  ValueId random(const Shape& shape) { return constant(random_tensor(shape)); }
  ValueId scalar(float value) { return constant(tensor<float>(Shape{}, {value})); }
  ValueId node(std::string op_type, int version, std::vector<ValueId> inputs, AttributeMap attributes = {});
  std::vector<ValueId> nodes(std::string op_type, int version, std::vector<ValueId> inputs, size_t outputs,
                             AttributeMap attributes = {});
  void output(ValueId id) { graph_.outputs.push_back(id); }
  // With types and shapes inferred.
  Graph build();
  Graph unchecked() const { return graph_; }

  Tensor random_tensor(const Shape& shape);

 private:
  Graph graph_;
  uint32_t seed_ = 1;
};

// "Conv Relu Add": the nodes in order.
std::string listing(const Graph& graph);

// Runs the graph as it is.
std::vector<Value> run_graph(Graph graph, const std::vector<Value>& inputs);

// Runs the graph on random inputs before and after the pass and expects equal outputs; returns the graph after.
Graph check_pass(Result<bool> (*pass)(Graph&), GraphBuilder& builder, bool expect_change = true,
                 double tolerance = 1e-4);

}  // namespace nm::test
