#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

using Chain = ValueId (*)(GraphBuilder&, ValueId);

struct Case {
  const char* name;  // what nm_activation says afterwards; "" when nothing fits
  Chain chain;
};

const Case kCases[] = {
    {"relu", [](GraphBuilder& g, ValueId x) { return g.node("Relu", 13, {x}); }},
    {"clip",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Clip", 13, {x, g.scalar(0), g.scalar(6)});
     }},
    {"clip",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Clip", 6, {x}, {{"min", -0.5f}, {"max", 0.5f}});
     }},
    {"leaky_relu",
     [](GraphBuilder& g, ValueId x) {
       return g.node("LeakyRelu", 6, {x}, {{"alpha", 0.2f}});
     }},
    {"sigmoid", [](GraphBuilder& g, ValueId x) { return g.node("Sigmoid", 13, {x}); }},
    {"tanh", [](GraphBuilder& g, ValueId x) { return g.node("Tanh", 13, {x}); }},
    {"hard_sigmoid", [](GraphBuilder& g, ValueId x) { return g.node("HardSigmoid", 6, {x}); }},
    {"hard_swish", [](GraphBuilder& g, ValueId x) { return g.node("HardSwish", 14, {x}); }},
    {"gelu", [](GraphBuilder& g, ValueId x) { return g.node("Gelu", 20, {x}); }},
    {"gelu_tanh",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Gelu", 20, {x}, {{"approximate", std::string("tanh")}});
     }},
    {"silu", [](GraphBuilder& g, ValueId x) { return g.node("Swish", 24, {x}); }},
    {"",
     [](GraphBuilder& g, ValueId x) {
       return g.node("Clip", 13, {x, g.scalar(1), g.scalar(0)});
     }},
    {"", [](GraphBuilder& g, ValueId x) { return g.node("Exp", 13, {x}); }},
};

TEST_CASE("Activations go into what they follow", "[passes]") {
  const size_t which = GENERATE(range(size_t{0}, std::size(kCases)));
  const char* op = GENERATE("Conv", "ConvTranspose", "Gemm", "MatMul");
  CAPTURE(which, op);
  const Case& c = kCases[which];
  GraphBuilder g;
  ValueId y;
  if (op == std::string("Conv") || op == std::string("ConvTranspose")) {
    y = g.node(op, 11, {g.input({1, 4, 6, 6}), g.random({4, 4, 3, 3}), g.random({4})});
  } else if (op == std::string("Gemm")) {
    y = g.node(op, 13, {g.input({5, 8}), g.random({8, 20}), g.random({20})});
  } else {
    y = g.node(op, 13, {g.input({3, 5, 8}), g.random({8, 20})});
  }
  g.output(c.chain(g, y));
  const bool fuses = c.name[0] != '\0';
  const Graph after = check_pass(fuse_activation, g, fuses);
  if (!fuses) return;
  CHECK(listing(after) == op);
  CHECK(std::get<std::string>(after.nodes[0].attributes.find("nm_activation")->second) == c.name);
}

TEST_CASE("An activation is left alone when something else reads its input", "[passes]") {
  GraphBuilder g;
  const auto y = g.node("Conv", 11, {g.input({1, 4, 6, 6}), g.random({4, 4, 3, 3})});
  g.output(g.node("Relu", 13, {y}));
  g.output(g.node("Exp", 13, {y}));
  CHECK(listing(check_pass(fuse_activation, g, false)) == "Conv Relu Exp");
}

}  // namespace
}  // namespace nm::test
