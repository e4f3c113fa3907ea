#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

std::string after(GraphBuilder& g, bool expect_change = true) {
  return listing(check_pass(fuse_elementwise, g, expect_change, 0));
}

TEST_CASE("The arithmetic of a normalisation becomes a node for each shape", "[passes]") {
  // As jax2tf writes it, over columns of 40.
  GraphBuilder g;
  const auto x = g.input({2, 40, 300});
  const AttributeMap columns = {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{1}}};
  const auto mean = g.node("ReduceMean", 13, {x}, columns);
  const auto square = g.node("ReduceMean", 13, {g.node("Mul", 14, {x, x})}, columns);
  const auto variance = g.node("Max", 13, {g.node("Sub", 14, {square, g.node("Mul", 14, {mean, mean})}), g.scalar(0)});
  const auto root = g.node("Sqrt", 13, {g.node("Add", 14, {variance, g.scalar(1e-6f)})});
  const auto scale = g.node("Mul", 14, {g.node("Reciprocal", 13, {root}), g.random({300})});
  const auto centred = g.node("Sub", 14, {x, mean});
  g.output(g.node("Add", 14, {g.node("Mul", 14, {centred, scale}), g.random({300})}));
  CHECK(after(g) == "ReduceMean Mul ReduceMean Elementwise Elementwise");
}

TEST_CASE("A result that is read twice within the chain stays inside", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({3, 1000});
  const auto y = g.node("Transpose", 13, {x});  // whose memory the chain takes over
  const auto bounded = g.node("Clip", 13, {y, g.scalar(-0.5f), g.scalar(0.5f)});
  const auto gate = g.node("HardSigmoid", 6, {bounded}, {{"alpha", 0.3f}});
  const auto sum = g.node("Sum", 13, {g.node("Mul", 14, {bounded, gate}), y, g.scalar(2)});
  g.output(g.node("Transpose", 13, {g.node("Pow", 13, {sum, g.scalar(1.5f)})}));
  CHECK(after(g) == "Transpose Elementwise Transpose");
}

TEST_CASE("What others read ends a chain", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({4, 8});
  const auto handed_out = g.node("Relu", 13, {g.node("Neg", 13, {x})});
  const auto softmax = g.node("Softmax", 13, {handed_out});
  g.output(g.node("Tanh", 13, {g.node("Add", 14, {handed_out, softmax})}));
  g.output(handed_out);
  CHECK(after(g) == "Elementwise Softmax Elementwise");
}

TEST_CASE("Chains end where shapes and types change", "[passes]") {
  GraphBuilder g;
  const auto row = g.node("Exp", 13, {g.node("Neg", 13, {g.input({1, 8})})});
  g.output(g.node("Mul", 14, {row, g.input({4, 8})}));
  // The exponent gives the result its rank.
  g.output(g.node("Neg", 13, {g.node("Pow", 13, {g.input({3}), g.constant(tensor<float>({1, 1}, {0.5f}))})}));
  const auto whole = g.node("Cast", 13, {g.input({5})}, {{"to", int64_t{7}}});
  g.output(g.node("Neg", 13, {g.node("Abs", 13, {whole})}));
  CHECK(after(g) == "Elementwise Mul Pow Neg Cast Abs Neg");
}

TEST_CASE("A chain of any length is cut into nodes of bounded length", "[passes]") {
  GraphBuilder g;
  auto x = g.input({50});
  for (int i = 0; i < 20; ++i) x = g.node("Add", 14, {g.node("Sin", 7, {x}), g.scalar(0.5f)});
  g.output(x);
  CHECK(after(g) == "Elementwise Elementwise");
}

TEST_CASE("A lonely operator stays", "[passes]") {
  GraphBuilder g;
  g.output(g.node("Relu", 13, {g.input({4})}));
  CHECK(after(g, false) == "Relu");
}

// Expects what the graph gives one by one from its chains, which are `nodes` long, on shapes the file does not tell.
void check_runs(GraphBuilder& g, const std::string& nodes, const std::vector<Shape>& shapes) {
  const Graph before = g.build();
  Graph fused = before;
  REQUIRE(fuse_elementwise(fused).ok());
  REQUIRE(infer_types(fused).ok());
  CHECK(listing(fused) == nodes);
  std::vector<Value> inputs;
  for (const Shape& s : shapes) inputs.emplace_back(g.random_tensor(s));
  const std::vector<Value> expected = run_graph(before, inputs), actual = run_graph(fused, inputs);
  for (size_t i = 0; i < expected.size(); ++i) check_equal(actual[i], *expected[i].tensor(), 0, 0);
}

TEST_CASE("Symbols of one name need not be equal when a chain runs", "[passes]") {
  const int64_t other = GENERATE(1, 2);
  GraphBuilder g;
  const auto batch = g.symbol("batch");
  const auto x = g.input({batch, 3});
  const auto y = g.input({batch, 3});
  const auto scaled = g.node("Mul", 14, {g.node("Neg", 13, {x}), g.input({batch, 1})});
  g.output(g.node("Add", 14, {scaled, y}));
  check_runs(g, "Elementwise", {{other, 3}, {2, 3}, {2, 1}});
}

TEST_CASE("Dimensions that nobody knows are taken for equal, named ones are not", "[passes]") {
  const int64_t other = GENERATE(1, 4);
  GraphBuilder g;
  const auto batch = g.symbol("batch"), length = g.symbol("length");
  const auto x = g.input({batch, 3});
  const auto rotated = g.node("Sub", 14, {g.node("Mul", 14, {x, g.input({length, 3})}), g.node("Neg", 13, {x})});
  g.output(g.node("Add", 14, {rotated, g.node("Exp", 13, {g.input({1, 3})})}));
  // x·y has as many rows as x or y, whichever is more; -x has as many as x.
  check_runs(g, "Exp Elementwise", {{4, 3}, {other, 3}, {1, 3}});
}

}  // namespace
}  // namespace nm::test
