#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

struct Case {
  const char* after;
  void (*build)(GraphBuilder&);
};

ValueId transposed(GraphBuilder& g, ValueId x, std::vector<int64_t> perm) {
  return g.node("Transpose", 13, {x}, {{"perm", perm}});
}

const Case kCases[] = {
    // torch.nn.Linear of a sequence
    {"MatMul",
     [](GraphBuilder& g) {
       const auto y = g.node("MatMul", 13, {g.input({2, 3, 4}), g.random({4, 5})});
       g.output(g.node("Add", 14, {g.random({5}), y}));
     }},
    {"MatMul",
     [](GraphBuilder& g) {
       const auto y = g.node("MatMul", 13, {g.input({2, 3, 4}), g.input({2, 4, 5})});
       g.output(g.node("Add", 14, {y, g.random({1, 1, 5})}));
     }},
    {"Gemm",
     [](GraphBuilder& g) {
       const auto y = g.node("Gemm", 13, {g.input({3, 4}), g.random({5, 4})},
                             {{"transB", int64_t{1}}, {"alpha", 2.f}, {"beta", 3.f}});
       g.output(g.node("Add", 14, {y, g.random({5})}));
     }},
    // attention's scores: q·kᵀ/√d
    {"FusedMatMul",
     [](GraphBuilder& g) {
       const auto kt = transposed(g, g.input({2, 3, 6, 4}), {0, 1, 3, 2});
       g.output(g.node("Div", 14, {g.node("MatMul", 13, {g.input({2, 3, 5, 4}), kt}), g.scalar(2)}));
     }},
    // torch's SDPA: both operands scaled
    {"FusedMatMul",
     [](GraphBuilder& g) {
       const auto q = g.node("Mul", 14, {g.input({2, 5, 4}), g.scalar(0.5f)});
       const auto kt = transposed(g, g.input({2, 6, 4}), {0, 2, 1});
       g.output(g.node("MatMul", 13, {q, g.node("Mul", 14, {g.scalar(0.5f), kt})}));
     }},
    {"FusedMatMul",
     [](GraphBuilder& g) {
       g.output(g.node("MatMul", 13, {transposed(g, g.input({4, 3}), {1, 0}), g.random({4, 5})}));
     }},
    // a factor between two products goes into one of them only
    {"FusedMatMul MatMul",
     [](GraphBuilder& g) {
       const auto y = g.node("MatMul", 13, {g.input({3, 4}), g.random({4, 5})});
       g.output(g.node("MatMul", 13, {g.node("Mul", 14, {y, g.scalar(3)}), g.random({5, 2})}));
     }},
    {"FusedMatMul Relu",
     [](GraphBuilder& g) {
       const auto y = g.node("Mul", 14, {g.node("MatMul", 13, {g.input({3, 4}), g.random({4, 5})}), g.scalar(2)});
       g.output(g.node("Relu", 14, {g.node("Add", 14, {y, g.random({5})})}));
     }},
    // heads of rows: no swap of the last two dimensions
    {"Transpose MatMul",
     [](GraphBuilder& g) {
       const auto x = transposed(g, g.input({2, 3, 4, 5}), {0, 2, 1, 3});
       g.output(g.node("MatMul", 13, {x, g.random({5, 2})}));
     }},
    // one number for each row is no bias; one that widens neither
    {"MatMul Add",
     [](GraphBuilder& g) {
       g.output(g.node("Add", 14, {g.node("MatMul", 13, {g.input({5, 4}), g.random({4, 5})}), g.random({5, 1})}));
     }},
    {"MatMul Add",
     [](GraphBuilder& g) {
       g.output(g.node("Add", 14, {g.node("MatMul", 13, {g.input({5, 4}), g.random({4, 5})}), g.random({1, 1, 5})}));
     }},
    {"MatMul Mul",
     [](GraphBuilder& g) {
       const auto one = g.constant(tensor<float>({1, 1, 1}, {2}));
       g.output(g.node("Mul", 14, {g.node("MatMul", 13, {g.input({5, 4}), g.random({4, 5})}), one}));
     }},
};

TEST_CASE("What stands around a matrix product goes into it", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kCases)));
  CAPTURE(which);
  GraphBuilder g;
  kCases[which].build(g);
  const std::string before = listing(g.build());
  CHECK(listing(check_pass(fuse_products, g, before != kCases[which].after)) == kCases[which].after);
}

TEST_CASE("A skip connection goes into a matrix product, behind its bias", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({2, 3, 4});
  const auto y = g.node("MatMul", 13, {g.node("Exp", 13, {x}), g.random({4, 4}), g.random({4})});
  const auto skip = g.node("Abs", 13, {x});
  g.output(g.node("Relu", 14, {g.node("Add", 14, {skip, y})}));
  CHECK(listing(check_pass(fuse_residual, g)) == "Exp Abs MatMul Relu");
}

TEST_CASE("A vector's product keeps its bias behind it", "[passes]") {
  for (const bool vector_first : {true, false}) {
    GraphBuilder g;
    const auto x = g.input({4});
    const auto w = g.random({4, 4});
    const auto y = g.node("MatMul", 13, vector_first ? std::vector{x, w} : std::vector{w, x});
    g.output(g.node("Add", 14, {y, g.random({4})}));
    CHECK(listing(check_pass(fuse_products, g, false)) == "MatMul Add");
  }
}

TEST_CASE("Factors that are huge or nothing stay where they are", "[passes]") {
  for (const float factor : {0.f, 1e30f, 1e-30f, INFINITY}) {
    GraphBuilder g;
    const auto x = g.node("Mul", 14, {g.input({2, 3}), g.scalar(factor)});
    g.output(g.node("MatMul", 13, {x, g.random({3, 2})}));
    CHECK(listing(check_pass(fuse_products, g, false)) == "Mul MatMul");
  }
}

}  // namespace
}  // namespace nm::test
