#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

using Chain = ValueId (*)(GraphBuilder&, ValueId);

ValueId mul(GraphBuilder& g, ValueId a, ValueId b) { return g.node("Mul", 14, {a, b}); }
ValueId mul(GraphBuilder& g, ValueId a, float b) { return mul(g, a, g.scalar(b)); }
ValueId div(GraphBuilder& g, ValueId a, float b) { return g.node("Div", 14, {a, g.scalar(b)}); }
ValueId add(GraphBuilder& g, ValueId a, float b) { return g.node("Add", 14, {a, g.scalar(b)}); }
ValueId erf(GraphBuilder& g, ValueId x) { return add(g, g.node("Erf", 13, {div(g, x, 1.41421356f)}), 1); }
ValueId clip(GraphBuilder& g, ValueId x) { return g.node("Clip", 13, {x, g.scalar(0), g.scalar(6)}); }
ValueId tanh(GraphBuilder& g, ValueId x, ValueId cube) {
  const ValueId sum = g.node("Add", 14, {x, mul(g, g.scalar(0.044715f), cube)});
  return g.node("Add", 14, {g.scalar(1), g.node("Tanh", 13, {mul(g, sum, 0.7978845608f)})});
}

struct Case {
  const char* after;
  Chain chain;
};

const Case kCases[] = {
    // torch.nn.GELU()
    {"Gelu", [](GraphBuilder& g, ValueId x) { return mul(g, mul(g, x, erf(g, x)), 0.5f); }},
    // transformers' gelu: x * 0.5 * (1 + erf(x / sqrt(2)))
    {"Gelu", [](GraphBuilder& g, ValueId x) { return mul(g, mul(g, x, 0.5f), erf(g, x)); }},
    // tf2onnx: 0.5 * (1 + erf(x * 0.707)) * x
    {"Gelu",
     [](GraphBuilder& g, ValueId x) {
       const ValueId e = add(g, g.node("Erf", 13, {mul(g, x, 0.70710677f)}), 1);
       return mul(g, mul(g, g.scalar(0.5f), e), x);
     }},
    // √2 as a 16-bit float
    {"Gelu",
     [](GraphBuilder& g, ValueId x) {
       const ValueId e = add(g, g.node("Erf", 13, {div(g, x, 1.4140625f)}), 1);
       return mul(g, div(g, x, 2), e);
     }},
    // torch.nn.GELU("tanh"), transformers' gelu_new
    {"Gelu",
     [](GraphBuilder& g, ValueId x) {
       return mul(g, mul(g, g.scalar(0.5f), x), tanh(g, x, g.node("Pow", 13, {x, g.scalar(3)})));
     }},
    {"Gelu", [](GraphBuilder& g, ValueId x) { return mul(g, mul(g, tanh(g, x, mul(g, x, mul(g, x, x))), x), 0.5f); }},
    {"Gelu",
     [](GraphBuilder& g, ValueId x) {
       const ValueId inner = mul(g, mul(g, x, 0.79788456f), add(g, mul(g, mul(g, x, x), 0.044715f), 1));
       return mul(g, mul(g, x, 0.5f), add(g, g.node("Tanh", 13, {inner}), 1));
     }},
    {"Swish", [](GraphBuilder& g, ValueId x) { return mul(g, g.node("Sigmoid", 13, {x}), x); }},
    {"Swish", [](GraphBuilder& g, ValueId x) { return mul(g, x, g.node("Sigmoid", 13, {mul(g, x, 1.702f)})); }},
    {"Mish", [](GraphBuilder& g, ValueId x) { return mul(g, x, g.node("Tanh", 13, {g.node("Softplus", 1, {x})})); }},
    {"Mish",
     [](GraphBuilder& g, ValueId x) {
       const ValueId softplus = g.node("Log", 13, {add(g, g.node("Exp", 13, {x}), 1)});
       return mul(g, x, g.node("Tanh", 13, {softplus}));
     }},
    {"LeakyRelu",
     [](GraphBuilder& g, ValueId x) {
       return g.node("PRelu", 16, {x, g.constant(tensor<float>({1}, {0.25f}))});
     }},
    {"HardSwish",
     [](GraphBuilder& g, ValueId x) {
       return mul(g, g.node("HardSigmoid", 6, {x}, {{"alpha", 1.f / 6}}), x);
     }},
    {"HardSwish", [](GraphBuilder& g, ValueId x) { return div(g, mul(g, x, clip(g, add(g, x, 3))), 6); }},
    {"HardSwish", [](GraphBuilder& g, ValueId x) { return mul(g, x, mul(g, clip(g, add(g, x, 3)), 1.f / 6)); }},
    {"HardSwish",
     [](GraphBuilder& g, ValueId x) {
       const ValueId six = g.node("Clip", 6, {add(g, x, 3)}, {{"min", 0.f}, {"max", 6.f}});
       return mul(g, x, div(g, six, 6));
     }},
    {"HardSigmoid", [](GraphBuilder& g, ValueId x) { return div(g, clip(g, add(g, x, 3)), 6); }},
    {"Mul",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Pow", 15, {x, g.scalar(2)});
     }},
    {"Reciprocal",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Div", 14, {g.scalar(1), x});
     }},
};

TEST_CASE("Arithmetic becomes the functions it stands for", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kCases)));
  CAPTURE(which);
  GraphBuilder g;
  g.output(kCases[which].chain(g, g.input({2, 3, 4})));
  CHECK(listing(check_pass(fuse_functions, g, true, 1e-3)) == kCases[which].after);
}

const Case kOthers[] = {
    // another slope
    {"HardSigmoid Mul", [](GraphBuilder& g, ValueId x) { return mul(g, x, g.node("HardSigmoid", 6, {x})); }},
    {"Add Clip Mul",
     [](GraphBuilder& g, ValueId x) {
       return mul(g, g.node("Clip", 13, {add(g, x, 3), g.scalar(0), g.scalar(5)}), 1.f / 6);
     }},
    // of something else
    {"Exp Sigmoid Mul",
     [](GraphBuilder& g, ValueId x) { return mul(g, x, g.node("Sigmoid", 13, {g.node("Exp", 13, {x})})); }},
    // not √2
    {"Div Erf Add Mul Mul",
     [](GraphBuilder& g, ValueId x) {
       return mul(g, mul(g, x, add(g, g.node("Erf", 13, {div(g, x, 1.5f)}), 1)), 0.5f);
     }},
    // not 1
    {"Mul", [](GraphBuilder& g, ValueId x) { return mul(g, x, 1.00001f); }},
    // a constant that gives the result another rank
    {"Mul Sigmoid Mul",
     [](GraphBuilder& g, ValueId x) {
       const ValueId one = g.constant(tensor<float>({1, 1, 1, 1}, {2}));
       return mul(g, x, g.node("Sigmoid", 13, {mul(g, x, one)}));
     }},
    // what somebody else reads
    {"Div Erf Add Mul Mul",
     [](GraphBuilder& g, ValueId x) {
       const ValueId e = erf(g, x);
       g.output(e);
       return mul(g, mul(g, x, e), 0.5f);
     }},
};

TEST_CASE("Arithmetic that is only like a function stays", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kOthers)));
  CAPTURE(which);
  GraphBuilder g;
  g.output(kOthers[which].chain(g, g.input({2, 3, 4})));
  CHECK(listing(check_pass(fuse_functions, g, false)) == kOthers[which].after);
}

}  // namespace
}  // namespace nm::test
