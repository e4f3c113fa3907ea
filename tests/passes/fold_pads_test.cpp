#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

struct Case {
  const char* after;
  ValueId (*build)(GraphBuilder&, ValueId);
};

ValueId pad(GraphBuilder& g, ValueId x, std::initializer_list<int64_t> pads, float value = 0) {
  return g.node("Pad", 13, {x, g.constant(tensor<int64_t>({8}, pads)), g.scalar(value)});
}
ValueId conv(GraphBuilder& g, ValueId x, AttributeMap attributes = {}) {
  return g.node("Conv", 11, {x, g.random({4, 3, 3, 3})}, std::move(attributes));
}
const std::vector<int64_t> kOne{1, 1, 1, 1};

const Case kCases[] = {
    // Keras' ZeroPadding2D before a strided convolution
    {"Conv",
     [](GraphBuilder& g, ValueId x) {
       const std::vector<int64_t> strides{2, 2};
       return conv(g, pad(g, x, {0, 0, 0, 1, 0, 0, 2, 3}), {{"auto_pad", std::string("VALID")}, {"strides", strides}});
     }},
    {"Conv",
     [](GraphBuilder& g, ValueId x) {
       return conv(g, pad(g, x, {0, 0, 1, 2, 0, 0, 3, 0}), {{"pads", kOne}});
     }},
    // Beside VALID pads say nothing.
    {"Conv",
     [](GraphBuilder& g, ValueId x) {
       return conv(g, pad(g, x, {0, 0, 0, 1, 0, 0, 2, 3}), {{"auto_pad", std::string("VALID")}, {"pads", kOne}});
     }},
    {"Conv",
     [](GraphBuilder& g, ValueId x) {
       const std::vector<int64_t> pads{0, 0, 1, 1, 0, 0, 1, 1};
       return conv(g, g.node("Pad", 2, {x}, {{"pads", pads}}));
     }},
    {"AveragePool",
     [](GraphBuilder& g, ValueId x) {
       const std::vector<int64_t> kernel{3, 3};
       return g.node("AveragePool", 11, {pad(g, x, {0, 0, 1, 1, 0, 0, 1, 1})},
                     {{"kernel_shape", kernel}, {"count_include_pad", int64_t{1}}});
     }},
    {"Pad AveragePool",
     [](GraphBuilder& g, ValueId x) {
       const std::vector<int64_t> kernel{3, 3};
       return g.node("AveragePool", 11, {pad(g, x, {0, 0, 1, 1, 0, 0, 1, 1})}, {{"kernel_shape", kernel}});
     }},
    {"Pad Conv",
     [](GraphBuilder& g, ValueId x) {
       return conv(g, pad(g, x, {0, 0, 1, 1, 0, 0, 1, 1}, 0.5f));
     }},
    {"Pad Conv",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Conv", 11, {pad(g, x, {0, 1, 0, 0, 0, 0, 0, 0}), g.random({4, 4, 3, 3})});
     }},
    {"Pad Conv",
     [](GraphBuilder& g, ValueId x) {
       return conv(g, pad(g, x, {0, 0, -1, 1, 0, 0, 1, 1}));
     }},
    {"Pad Conv",
     [](GraphBuilder& g, ValueId x) {
       return conv(g, pad(g, x, {0, 0, 1, 1, 0, 0, 1, 1}), {{"auto_pad", std::string("SAME_UPPER")}});
     }},
    {"Pad Conv",
     [](GraphBuilder& g, ValueId x) {
       const auto pads = g.constant(tensor<int64_t>({8}, {0, 0, 1, 1, 0, 0, 1, 1}));
       return conv(g, g.node("Pad", 13, {x, pads}, {{"mode", std::string("reflect")}}));
     }},
};

TEST_CASE("Zeros around an image go into what reads it", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kCases)));
  CAPTURE(which);
  GraphBuilder g;
  g.output(kCases[which].build(g, g.input({2, 3, 7, 8})));
  const std::string before = listing(g.build());
  CHECK(listing(check_pass(fold_pads, g, before != kCases[which].after)) == kCases[which].after);
}

}  // namespace
}  // namespace nm::test
