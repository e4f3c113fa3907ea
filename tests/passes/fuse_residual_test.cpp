#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;
const AttributeMap kPadded = {{"pads", Axes{1, 1, 1, 1}}};

TEST_CASE("A Conv takes the other operand of an Add as its residual", "[passes]") {
  const int64_t channels = GENERATE(4, 16, 24);
  const int64_t kernel = GENERATE(1, 3);
  const int64_t groups = GENERATE(as<int64_t>{}, 1, -1);
  const bool activated = GENERATE(false, true);
  const bool swapped = GENERATE(false, true);
  CAPTURE(channels, kernel, groups, activated, swapped);
  GraphBuilder g;
  const auto x = g.input({1, channels, 9, 9});
  const int64_t n = groups < 0 ? channels : 1;
  auto y = g.node("Conv", 11, {x, g.random({channels, channels / n, kernel, kernel}), g.random({channels})},
                  {{"pads", Axes{kernel / 2, kernel / 2, kernel / 2, kernel / 2}},
                   {"group", n},
                   {"nm_activation", std::string(activated ? "silu" : "")},
                   {"nm_activation_params", std::vector<float>{0, 0}}});
  y = g.node("Add", 13, swapped ? std::vector{x, y} : std::vector{y, x});
  g.output(g.node("Relu", 13, {y}));
  const Graph after = check_pass(fuse_residual, g);
  CHECK(listing(after) == "Conv Relu");
}

}  // namespace
}  // namespace nm::test
