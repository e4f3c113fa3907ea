// Passes over quantised graphs. Scales are powers of two, so that floats hold every sum exactly and results must agree
// to the last bit.
#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;

template <class T>
Tensor counting(const Shape& shape, int64_t step) {
  auto t = Tensor::create(dtype_of<T>, shape);
  REQUIRE(t.ok());
  for (int64_t i = 0; i < t->count(); ++i) t->template data<T>()[i] = static_cast<T>((i * step) % 256 - 128);
  return std::move(*t);
}

struct Quantizing {
  GraphBuilder g;
  ValueId scale(float by) { return g.scalar(by); }
  ValueId zero(int value) { return g.constant(tensor<uint8_t>({}, {static_cast<uint8_t>(value)})); }
  ValueId quantize(ValueId x, float by, int at) { return g.node("QuantizeLinear", 13, {x, scale(by), zero(at)}); }
  ValueId dequantize(ValueId x, float by, int at) { return g.node("DequantizeLinear", 13, {x, scale(by), zero(at)}); }
  // The image [1, 4, 6, 5] through bytes.
  ValueId image() { return dequantize(quantize(g.input({1, 4, 6, 5}), 1.f / 64, 120), 1.f / 64, 120); }
  ValueId weights() {
    return g.node("DequantizeLinear", 13,
                  {g.constant(counting<int8_t>({3, 4, 3, 3}, 37)), g.constant(tensor<float>({3}, {0.5f, 0.25f, 1})),
                   g.constant(tensor<int8_t>({3}, {0, 3, -4}))},
                  {{"axis", int64_t{0}}});
  }
  ValueId bias(float first) {
    return g.node("DequantizeLinear", 13,
                  {g.constant(tensor<int32_t>({3}, {1000, -2000, 3})),
                   g.constant(tensor<float>({3}, {first, 0.25f / 64, 1.f / 64}))},
                  {{"axis", int64_t{0}}});
  }
};

}  // namespace

TEST_CASE("A convolution between DequantizeLinear and QuantizeLinear is one of bytes", "[passes][fuse_quantized]") {
  const std::string activation = GENERATE("", "Relu", "Clip");
  const bool biased = GENERATE(false, true);
  CAPTURE(activation, biased);
  Quantizing q;
  std::vector<ValueId> inputs = {q.image(), q.weights()};
  if (biased) inputs.push_back(q.bias(0.5f / 64));
  ValueId y = q.g.node("Conv", 11, inputs, {{"pads", Axes{1, 0, 1, 2}}, {"strides", Axes{1, 2}}});
  if (activation == "Relu") y = q.g.node("Relu", 13, {y});
  if (activation == "Clip") y = q.g.node("Clip", 13, {y, q.scale(-8), q.scale(24)});
  q.g.output(q.quantize(y, 0.5f, 100));
  const Graph after = check_pass(fuse_quantized, q.g);
  CHECK(listing(after) == "QuantizeLinear QLinearConv");
}

TEST_CASE("A convolution stays in floats where bytes would say something else", "[passes][fuse_quantized]") {
  SECTION("a bias in other units") {
    Quantizing q;
    const auto y = q.g.node("Conv", 11, {q.image(), q.weights(), q.bias(0.5f)});
    q.g.output(q.quantize(y, 0.5f, 100));
    check_pass(fuse_quantized, q.g, false);
  }
  SECTION("a second reader") {
    Quantizing q;
    const auto y = q.g.node("Conv", 11, {q.image(), q.weights()});
    q.g.output(q.quantize(y, 0.5f, 100));
    q.g.output(y);
    check_pass(fuse_quantized, q.g, false);
  }
  SECTION("scales along another axis") {
    Quantizing q;
    const auto w =
        q.g.node("DequantizeLinear", 13,
                 {q.g.constant(counting<int8_t>({3, 4, 3, 3}, 37)), q.g.constant(tensor<float>({4}, {1, 2, 4, 8})),
                  q.g.constant(tensor<int8_t>({4}, {0, 1, 2, 3}))},
                 {{"axis", int64_t{1}}});
    q.g.output(q.quantize(q.g.node("Conv", 11, {q.image(), w}), 0.5f, 100));
    check_pass(fuse_quantized, q.g, false);
  }
}

TEST_CASE("QuantizeLinear moves before what only moves data and cancels there", "[passes][hoist_quantize]") {
  Quantizing q;
  const auto a = q.image();
  const auto b = q.dequantize(q.quantize(q.g.input({1, 2, 6, 5}), 1.f / 32, 7), 1.f / 32, 7);
  auto y = q.g.node("Concat", 13, {a, b}, {{"axis", int64_t{1}}});
  y = q.g.node("Reshape", 13, {y, q.g.constant(tensor<int64_t>({5}, {1, 2, 3, 6, 5}))});
  y = q.g.node("Transpose", 13, {y}, {{"perm", Axes{0, 2, 1, 3, 4}}});
  q.g.output(q.quantize(y, 1.f / 64, 120));
  const Graph after = check_pass(hoist_quantize, q.g);
  CHECK(listing(after) == "QuantizeLinear QuantizeLinear DequantizeLinear QuantizeLinear Concat Reshape Transpose");
}

TEST_CASE("QuantizeLinear stays behind values that others read", "[passes][hoist_quantize]") {
  Quantizing q;
  const auto y = q.g.node("Transpose", 13, {q.g.input({2, 3})}, {{"perm", Axes{1, 0}}});
  q.g.output(q.quantize(y, 0.5f, 1));
  q.g.output(y);
  check_pass(hoist_quantize, q.g, false);
}

TEST_CASE("Sums of dynamic quantisation become floats at once", "[passes][fuse_dequantize]") {
  const bool offset = GENERATE(false, true), swapped = GENERATE(false, true), columns = GENERATE(false, true);
  CAPTURE(offset, swapped, columns);
  GraphBuilder g;
  const auto dynamic = g.nodes("DynamicQuantizeLinear", 11, {g.input({2, 3, 5})}, 3);
  const auto b = g.constant(counting<int8_t>({5, 4}, 37));
  const auto sums = g.node("MatMulInteger", 10, {dynamic[0], b, dynamic[2]});
  const auto cast = g.node("Cast", 13, {sums}, {{"to", int64_t{1}}});
  const auto by = columns ? g.random({4}) : g.scalar(0.25f);
  const auto scale = g.node("Mul", 13, {dynamic[1], by});
  auto y = g.node("Mul", 13, swapped ? std::vector{scale, cast} : std::vector{cast, scale});
  if (offset) y = g.node("Add", 13, {g.random({4}), y});
  g.output(y);
  const Graph after = check_pass(fuse_dequantize, g, true, 1e-6);
  CHECK(listing(after) == "DynamicQuantizeLinear MatMulInteger");
}

TEST_CASE("Sums keep scales that would change their shape", "[passes][fuse_dequantize]") {
  GraphBuilder g;
  const auto dynamic = g.nodes("DynamicQuantizeLinear", 11, {g.input({3, 5})}, 3);
  const auto sums = g.node("MatMulInteger", 10, {dynamic[0], g.constant(counting<int8_t>({5, 4}, 37)), dynamic[2]});
  const auto cast = g.node("Cast", 13, {sums}, {{"to", int64_t{1}}});
  g.output(g.node("Mul", 13, {cast, g.random({1, 1, 1})}));
  check_pass(fuse_dequantize, g, false);
}

TEST_CASE("Nodes that compute the same become one", "[passes][eliminate_common]") {
  GraphBuilder g;
  const auto x = g.input({2, 3});
  const auto a = g.node("Exp", 13, {x}), b = g.node("Exp", 13, {x});
  const auto c = g.node("Neg", 13, {a}), d = g.node("Neg", 13, {b});
  const auto e = g.node("Transpose", 13, {x}, {{"perm", Axes{1, 0}}});
  const auto f = g.node("Transpose", 13, {x}, {{"perm", Axes{0, 1}}});
  g.output(g.node("Add", 13, {c, d}));
  g.output(e);
  g.output(f);
  g.output(g.node("RandomNormalLike", 1, {x}, {{"seed", 1.f}}));
  g.output(g.node("RandomNormalLike", 1, {x}, {{"seed", 1.f}}));
  Graph graph = g.build();
  auto changed = eliminate_common(graph);
  REQUIRE(changed.ok());
  CHECK(*changed);
  CHECK(listing(graph) == "Exp Neg Transpose Transpose Add RandomNormalLike RandomNormalLike");
  GraphBuilder once;
  once.output(once.node("Exp", 13, {once.input({2, 3})}));
  check_pass(eliminate_common, once, false);
}

TEST_CASE("Weights in bytes wait for those who multiply them", "[passes][fold_constants]") {
  Quantizing q;
  q.g.output(q.g.node("Conv", 11, {q.g.input({1, 4, 6, 5}), q.weights()}));
  check_pass(fold_all_but_weights, q.g, false);
  CHECK(listing(check_pass(fold_constants, q.g)) == "Conv");
}

}  // namespace nm::test
