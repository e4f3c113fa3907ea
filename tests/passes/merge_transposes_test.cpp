#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

using Perm = std::vector<int64_t>;

Result<bool> merge_and_eliminate(Graph& graph) {
  NM_ASSIGN(const bool merged, merge_transposes(graph));
  NM_TRY(infer_types(graph));
  NM_TRY(eliminate_identities(graph).take_status());
  return merged;
}

TEST_CASE("Transposes of transposes", "[passes]") {
  struct Case {
    const char* after;
    Perm first;
    const char* function;  // in between
    Perm second;
  };
  const Case c = GENERATE(Case{"Transpose Neg", {0, 2, 1}, "", {2, 0, 1}}, Case{"Neg", {0, 2, 1}, "", {0, 2, 1}},
                          Case{"Neg", {1, 2, 0}, "", {2, 0, 1}}, Case{"Relu Neg", {0, 2, 1}, "Relu", {0, 2, 1}},
                          Case{"LeakyRelu Neg", {1, 2, 0}, "LeakyRelu", {2, 0, 1}},
                          Case{"Transpose Relu Transpose Neg", {0, 2, 1}, "Relu", {1, 0, 2}});
  CAPTURE(c.after, c.first, c.second);
  GraphBuilder g;
  auto x = g.node("Transpose", 13, {g.input({2, 3, 4})}, {{"perm", c.first}});
  if (c.function == std::string("LeakyRelu")) {
    x = g.node("LeakyRelu", 16, {x}, {{"alpha", 0.3f}});
  } else if (c.function[0] != 0) {
    x = g.node(c.function, 14, {x});
  }
  g.output(g.node("Neg", 13, {g.node("Transpose", 13, {x}, {{"perm", c.second}})}));
  const std::string before = listing(g.build());
  CHECK(listing(check_pass(merge_and_eliminate, g, before != c.after)) == c.after);
}

TEST_CASE("A reshape to a shape that symbols tell is the same goes", "[passes][eliminate_identities]") {
  GraphBuilder g;
  const auto x = g.input({g.symbol("batch"), 3, 4});
  const auto shape = g.constant(tensor<int64_t>({3}, {0, 3, -1}));
  g.output(g.node("Neg", 13, {g.node("Reshape", 13, {x, shape})}));
  Graph graph = g.build();
  REQUIRE(eliminate_identities(graph).ok());
  CHECK(listing(graph) == "Neg");
}

}  // namespace
}  // namespace nm::test
