#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;
using Body = ValueId (*)(GraphBuilder&, ValueId);

Tensor integers(std::initializer_list<int64_t> values) {
  return tensor<int64_t>(Shape{static_cast<int64_t>(values.size())}, values);
}

ValueId conv(GraphBuilder& g, ValueId x, int64_t in, int64_t out) {
  return g.node("Conv", 11, {x, g.random({out, in, 3, 3}), g.random({out})}, {{"pads", Axes{1, 1, 1, 1}}});
}

struct Case {
  const char* after;  // the nodes between the first Conv of [1,4,6,8] and the end
  Body body;
};

// Transposes stand where forms change and nowhere else.
const Case kCases[] = {
    {"Conv Transpose", [](GraphBuilder& g, ValueId x) { return conv(g, x, 4, 5); }},
    {"Relu MaxPool Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("MaxPool", 12, {g.node("Relu", 13, {x})}, {{"kernel_shape", Axes{2, 2}}});
     }},
    {"Add Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Add", 13, {x, g.random({1, 4, 1, 1})});
     }},
    {"Mul Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Mul", 13, {g.random({4, 1, 1}), x});
     }},
    {"Mul Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Mul", 13, {g.random({8}), x});
     }},
    {"Mul Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Mul", 13, {x, g.scalar(3)});
     }},
    {"CastLike Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("CastLike", 15, {x, g.scalar(0)});
     }},
    {"BitCast Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("BitCast", 26, {x}, {{"to", static_cast<int64_t>(DType::Int32)}});
     }},
    {"SwiGLU Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("SwiGLU", 28, {x, x});
     }},
    {"GlobalAveragePool Mul Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Mul", 13, {x, g.node("GlobalAveragePool", 1, {x})});
     }},
    {"Conv Concat Conv Transpose",
     [](GraphBuilder& g, ValueId x) {
       const auto y = conv(g, x, 4, 4);
       return conv(g, g.node("Concat", 13, {x, y}, {{"axis", int64_t{1}}}), 8, 2);
     }},
    {"Split Conv Conv Concat Transpose",
     [](GraphBuilder& g, ValueId x) {
       const auto parts = g.nodes("Split", 13, {x}, 2, {{"axis", int64_t{-3}}});
       const auto a = conv(g, parts[0], 2, 2), b = conv(g, parts[1], 2, 3);
       return g.node("Concat", 13, {a, b}, {{"axis", int64_t{1}}});
     }},
    {"Slice Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Slice", 13,
                     {x, g.constant(integers({1, 0})), g.constant(integers({3, 4})), g.constant(integers({1, 3}))});
     }},
    {"Slice Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Slice", 13, {x, g.constant(integers({0, 1})), g.constant(integers({1, 3}))});
     }},
    {"Pad Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Pad", 13, {x, g.constant(integers({0, 1, 2, 3, 0, 0, 1, 0})), g.scalar(7)});
     }},
    {"ReduceMax Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("ReduceMax", 13, {x}, {{"axes", Axes{1, -1}}});
     }},
    {"ReduceMean",
     [](GraphBuilder& g, ValueId x) {
       return g.node("ReduceMean", 13, {x}, {{"axes", Axes{2, 3}}, {"keepdims", int64_t{0}}});
     }},
    {"Transpose ReduceMean",  // rows would come before channels
     [](GraphBuilder& g, ValueId x) {
       return g.node("ReduceMean", 13, {x}, {{"axes", Axes{3}}, {"keepdims", int64_t{0}}});
     }},
    {"BatchNormalization Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("BatchNormalization", 15,
                     {x, g.random({4}), g.random({4}), g.random({4}), g.constant(tensor<float>({4}, {1, 2, 3, 4}))});
     }},
    {"InstanceNormalization Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("InstanceNormalization", 6, {x, g.random({4}), g.random({4})});
     }},
    {"QuantizeLinear DequantizeLinear Transpose",
     [](GraphBuilder& g, ValueId x) {
       const auto scale = g.constant(tensor<float>({4}, {0.1f, 0.2f, 0.3f, 0.4f})),
                  zero = g.constant(tensor<uint8_t>({4}, {1, 2, 3, 128}));
       return g.node("DequantizeLinear", 13, {g.node("QuantizeLinear", 13, {x, scale, zero}), scale, zero});
     }},
    {"Resize Transpose",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Resize", 13, {x, kNone, g.constant(tensor<float>({4}, {1, 1, 2, 1.5f}))},
                     {{"mode", std::string("linear")}});
     }},
    {"",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Transpose", 13, {x}, {{"perm", Axes{0, 2, 3, 1}}});
     }},
    {"Reshape",
     [](GraphBuilder& g, ValueId x) {
       const auto pixels = g.node("Reshape", 13, {x, g.constant(integers({0, 4, -1}))});
       return g.node("Transpose", 13, {pixels}, {{"perm", Axes{0, 2, 1}}});
     }},
    {"Transpose",  // one, of both
     [](GraphBuilder& g, ValueId x) {
       return g.node("Transpose", 13, {x}, {{"perm", Axes{1, 0, 2, 3}}});
     }},
    {"Transpose Conv Transpose",  // three of them become one
     [](GraphBuilder& g, ValueId x) {
       const auto nhwc = g.node("Transpose", 13, {x}, {{"perm", Axes{0, 2, 3, 1}}});
       return conv(g, g.node("Transpose", 13, {g.node("Transpose", 13, {nhwc})}, {{"perm", Axes{0, 2, 3, 1}}}), 6, 2);
     }},
    {"Transpose Flatten", [](GraphBuilder& g, ValueId x) { return g.node("Flatten", 13, {x}); }},
};

TEST_CASE("Images stay channels-last from the first convolution to what needs the file's order", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kCases)));
  CAPTURE(which);
  const Case& c = kCases[which];
  GraphBuilder g;
  const auto x = g.input({1, 3, 6, 8});
  g.output(c.body(g, g.node("Conv", 11, {x, g.random({4, 3, 1, 1})})));
  Graph after = check_pass(channels_last, g);
  // Constants in the other layout are folded afterwards; here they are Transposes whose input is a constant.
  std::erase_if(after.nodes,
                [&](const Node& n) { return n.is("Transpose") && after.constant(n.inputs[0]) != nullptr; });
  std::string expected = "Transpose Conv";
  if (c.after[0] != '\0') expected += std::string(" ") + c.after;
  if (listing(after).ends_with(" Identity")) expected += " Identity";  // an output under its own name
  CHECK(listing(after) == expected);
}

// A bias of com.microsoft's GELUs goes by the last dimension of the file's form and has no other form.
TEST_CASE("A bias along the last dimension keeps the file's order", "[passes]") {
  for (const char* op : {"BiasGelu", "FastGelu"}) {
    for (const bool bias : {true, false}) {
      if (!bias && op == std::string("BiasGelu")) continue;  // has always one
      INFO(op << (bias ? " with a bias" : ""));
      GraphBuilder g;
      const auto x = g.node("Conv", 11, {g.input({1, 3, 6, 8}), g.random({4, 3, 1, 1})});
      g.output(g.node(op, 1, bias ? std::vector<ValueId>{x, g.random({8})} : std::vector<ValueId>{x}));
      Graph before = g.unchecked();
      before.nodes.back().domain = kMicrosoftDomain;
      REQUIRE(infer_types(before).ok());
      Graph after = before;
      REQUIRE(channels_last(after).ok());
      REQUIRE(infer_types(after).ok());
      CHECK(listing(after) == (bias ? std::string("Transpose Conv Transpose ") + op
                                    : std::string("Transpose Conv ") + op + " Transpose"));
      const Tensor image = g.random_tensor({1, 3, 6, 8});
      const auto expected = run_graph(before, {Value(image)}), actual = run_graph(after, {Value(image)});
      check_equal(actual[0], *expected[0].tensor());
    }
  }
}

TEST_CASE("A graph without convolutions and pools keeps its layout", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({2, 3, 4});
  g.output(
      g.node("Transpose", 13, {g.node("Transpose", 13, {x}, {{"perm", Axes{0, 2, 1}}})}, {{"perm", Axes{0, 2, 1}}}));
  CHECK(listing(check_pass(channels_last, g, false)) == "Transpose Transpose");
}

TEST_CASE("A residual takes its image's layout", "[passes]") {
  GraphBuilder g;
  const auto x = g.input({1, 4, 6, 6});
  const auto y = g.node("Conv", 11, {x, g.random({4, 4, 1, 1})});
  g.output(g.node("Conv", 11, {y, g.random({4, 4, 1, 1}), kNone, y}));
  CHECK(listing(check_pass(channels_last, g)) == "Transpose Conv Conv Transpose");
}

}  // namespace
}  // namespace nm::test
