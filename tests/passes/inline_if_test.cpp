#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

// A branch that computes `op` of what it captures, the If's input 1, and hands out that too.
std::shared_ptr<Graph> branch(const char* op) {
  auto graph = std::make_shared<Graph>();
  GraphValue outer, inner;
  outer.name = "outer";
  inner.name = "inner";
  const ValueId x = graph->add_value(outer), y = graph->add_value(inner);
  Node n = node(op, 13);
  n.inputs = {x};
  n.explicit_inputs = 1;
  n.outputs = {y};
  graph->nodes.push_back(std::move(n));
  graph->captures.push_back({x, 1});
  graph->outputs = {y, x};
  return graph;
}

Graph with_if(GraphBuilder& g, ValueId condition, ValueId x) {
  const auto y = g.nodes("If", 16, {condition, x}, 2, {{"then_branch", branch("Exp")}, {"else_branch", branch("Abs")}});
  g.output(y[0]);
  g.output(g.node("Neg", 13, {y[1]}));
  Graph graph = g.unchecked();
  graph.nodes[0].explicit_inputs = 1;
  return graph;
}

TEST_CASE("The branch that is taken takes the place of its If", "[passes]") {
  const bool condition = GENERATE(false, true);
  GraphBuilder g;
  const auto x = g.input({3});
  Graph graph = with_if(g, g.constant(tensor<bool>({}, {condition})), x);
  REQUIRE(infer_types(graph).ok());
  auto changed = inline_if(graph);
  REQUIRE(changed.ok());
  CHECK(*changed);
  CHECK(listing(graph) == (condition ? "Exp Identity Identity Neg" : "Abs Identity Identity Neg"));
  REQUIRE(infer_types(graph).ok());
  const auto out = run_graph(graph, {Value(tensor<float>({3}, {-1, 0, 2}))});
  const Tensor expected = condition ? tensor<float>({3}, {0.36787944f, 1, 7.389056f}) : tensor<float>({3}, {1, 0, 2});
  check_equal(out[0], expected, 1e-5, 1e-5);
  check_equal(out[1], tensor<float>({3}, {1, 0, -2}), 0, 0);
}

TEST_CASE("An If that waits for its condition stays", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({1});
  Graph graph = with_if(g, g.node("Cast", 13, {x}, {{"to", static_cast<int64_t>(DType::Bool)}}), x);
  std::swap(graph.nodes[0].explicit_inputs, graph.nodes[1].explicit_inputs);
  auto changed = inline_if(graph);
  REQUIRE(changed.ok());
  CHECK_FALSE(*changed);
}

}  // namespace
}  // namespace nm::test
