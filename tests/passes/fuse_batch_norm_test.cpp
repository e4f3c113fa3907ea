#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

TEST_CASE("Per-channel affine maps go into a convolution's weights", "[passes]") {
  const bool transposed = GENERATE(false, true);
  const int64_t groups = GENERATE(1, 2);
  const bool biased = GENERATE(false, true);
  CAPTURE(transposed, groups, biased);
  GraphBuilder g;
  const auto x = g.input({2, 4, 5, 5});
  const auto w = g.random(transposed ? Shape{4, 6 / groups, 3, 3} : Shape{6, 4 / groups, 3, 3});
  auto y =
      g.node(transposed ? "ConvTranspose" : "Conv", 11, {x, w, biased ? g.random({6}) : kNone}, {{"group", groups}});
  y = g.node("Mul", 13, {y, g.random({6, 1, 1})});
  const auto variance = g.constant(tensor<float>({6}, {1, 2, 3, 4, 0.5f, 0.1f}));
  y = g.node("BatchNormalization", 15, {y, g.random({6}), g.random({6}), g.random({6}), variance},
             {{"epsilon", 0.01f}});
  y = g.node("Sub", 13, {y, g.random({1, 6, 1, 1})});
  y = g.node("Div", 13, {y, g.scalar(3)});
  y = g.node("Add", 13, {g.scalar(0.5f), y});
  g.output(y);
  CHECK(listing(check_pass(fuse_batch_norm, g)) == (transposed ? "ConvTranspose" : "Conv"));
}

TEST_CASE("Infinite factors stay behind the convolution", "[passes]") {
  GraphBuilder g;
  const auto w = g.constant(tensor<float>({1, 1, 1, 1}, {0}));
  const auto y = g.node("Conv", 11, {g.input({1, 1, 2, 2}), w});
  g.output(g.node("Div", 13, {g.node("Add", 13, {y, g.scalar(1)}), g.scalar(0)}));
  CHECK(listing(check_pass(fuse_batch_norm, g)) == "Conv Div");
}

TEST_CASE("Maps that are not per channel stay", "[passes]") {
  struct Case {
    Shape operand;
    bool subtracted_from;
  };
  const Case c =
      GENERATE(Case{{5}, false}, Case{{6, 5, 5}, false}, Case{{1, 1, 6, 1, 1}, false}, Case{{6, 1, 1}, true});
  GraphBuilder g;
  const auto y = g.node("Conv", 11, {g.input({1, 4, 7, 7}), g.random({6, 4, 3, 3})});
  const auto b = g.random(c.operand);
  g.output(g.node("Sub", 13, c.subtracted_from ? std::vector{b, y} : std::vector{y, b}));
  CHECK(listing(check_pass(fuse_batch_norm, g, false)) == "Conv Sub");
}

TEST_CASE("A convolution whose output has another reader is not folded", "[passes]") {
  GraphBuilder g;
  const auto y = g.node("Conv", 11, {g.input({1, 4, 7, 7}), g.random({6, 4, 3, 3})});
  g.output(g.node("Mul", 13, {y, g.scalar(2)}));
  g.output(y);
  CHECK(listing(check_pass(fuse_batch_norm, g, false)) == "Conv Mul");
}

}  // namespace
}  // namespace nm::test
