#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

TEST_CASE("Equal computations are done once", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({2, 3});
  // The same constant twice, as exporters write it.
  const auto a = g.node("Exp", 13, {g.node("Mul", 14, {x, g.scalar(2)})});
  const auto b = g.node("Exp", 13, {g.node("Mul", 14, {x, g.scalar(2)})});
  g.output(g.node("Add", 14, {a, b}));
  g.output(b);
  CHECK(listing(check_pass(eliminate_common, g)) == "Mul Exp Add");
}

TEST_CASE("Computations that differ stay", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({2, 3});
  g.output(g.node("Softmax", 13, {x}, {{"axis", int64_t{0}}}));
  g.output(g.node("Softmax", 13, {x}, {{"axis", int64_t{1}}}));
  g.output(g.node("Mul", 14, {x, g.scalar(2)}));
  g.output(g.node("Mul", 14, {x, g.scalar(3)}));
  g.output(g.node("Sub", 14, {x, g.scalar(1)}));
  g.output(g.node("Sub", 14, {g.scalar(1), x}));
  check_pass(eliminate_common, g, false);
}

TEST_CASE("How many outputs a node has, and which, tells it from others", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({6, 2});
  for (const size_t parts : {2, 3}) {
    for (const ValueId part : g.nodes("Split", 11, {x}, parts, {{"axis", int64_t{0}}})) g.output(part);
  }
  check_pass(eliminate_common, g, false);
}

TEST_CASE("Numbers that only compare equal are not the same", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({2, 3});
  for (const float zero : {0.f, -0.f}) g.output(g.node("Div", 14, {x, g.scalar(zero)}));
  for (const float alpha : {0.f, -0.f}) g.output(g.node("LeakyRelu", 16, {x}, {{"alpha", alpha}}));
  g.output(g.node("Add", 14, {x, g.constant(tensor<float>({1}, {1}))}));
  g.output(g.node("Add", 14, {x, g.constant(tensor<float>({1, 1}, {1}))}));
  g.output(g.node("Add", 14, {x, g.constant(tensor<float>({1, 1, 1}, {1}))}));
  check_pass(eliminate_common, g, false);
}

TEST_CASE("Random numbers are drawn as often as the model says", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({2, 3});
  const auto a = g.node("RandomUniformLike", 1, {x}), b = g.node("RandomUniformLike", 1, {x});
  g.output(g.node("Mul", 14, {g.node("Sub", 14, {a, b}), g.scalar(0)}));
  CHECK(listing(check_pass(eliminate_common, g, false)) == "RandomUniformLike RandomUniformLike Sub Mul");
}

}  // namespace
}  // namespace nm::test
