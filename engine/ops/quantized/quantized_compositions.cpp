// com.microsoft's operators on 8-bit numbers that are defined by the real numbers behind them: dequantise, compute,
// quantise.
#include "engine/op/composition.h"
#include "engine/op/registry.h"
#include "engine/ops/image/image.h"

namespace nm {
namespace {

using Inputs = Composition::Inputs;

// Inputs: x, its scale and zero point, scale and zero point of the result.
constexpr size_t kX = 0, kScale = 1, kZero = 2, kResultScale = 3, kResultZero = 4;

// f(x) between numbers of one kind.
void between(Composition& c, std::string_view op, AttributeMap attributes) {
  c.require(2);
  const ValueId y = c.add(op, {c.dequantized(kX, kScale, kZero)}, std::move(attributes));
  c.finish("QuantizeLinear", {y, c.input(kResultScale), c.zero_point(kResultZero, kX)});
}

// The call's own attributes, but for those that only it knows.
AttributeMap attributes_without(Composition& c, std::initializer_list<std::string_view> names) {
  AttributeMap kept = c.attributes().all();
  for (const std::string_view name : names) kept.erase(name);
  return kept;
}

void q_linear_sigmoid(Composition& c) { between(c, "Sigmoid", {}); }

void q_linear_leaky_relu(Composition& c) {
  between(c, "LeakyRelu", {{"alpha", c.attributes().number("alpha", 0.01f)}});
}

void q_linear_softmax(Composition& c) {
  const int64_t axis = c.attributes().integer("axis", -1);
  if (c.attributes().integer("opset", 13) >= 13) return between(c, "Softmax", {{"axis", axis}});
  // The older form makes a matrix of the input: all dimensions from the axis on are one row.
  c.require(2);
  const ValueId x = c.dequantized(kX, kScale, kZero);
  const ValueId rows = c.add("Softmax", {c.add("Flatten", {x}, {{"axis", axis}})}, {{"axis", int64_t{-1}}});
  const ValueId y = c.add("Reshape", {rows, c.add("Shape", {x})}, {{"allowzero", int64_t{1}}});
  c.finish("QuantizeLinear", {y, c.input(kResultScale), c.zero_point(kResultZero, kX)});
}

// Pools, whose attribute `channels_last` is what the layout pass says to the standard ones.
AttributeMap pool_attributes(Composition& c) {
  AttributeMap attributes = attributes_without(c, {"channels_last"});
  if (c.attributes().flag("channels_last", false)) attributes.emplace(kChannelsLast, int64_t{1});
  return attributes;
}

void q_linear_average_pool(Composition& c) { between(c, "AveragePool", pool_attributes(c)); }
void q_linear_global_average_pool(Composition& c) { between(c, "GlobalAveragePool", pool_attributes(c)); }

void q_linear_reduce_mean(Composition& c) {
  c.require(2);
  const std::vector<int64_t> axes = c.attributes().integers("axes");
  Inputs inputs{c.dequantized(kX, kScale, kZero)};
  if (!axes.empty()) inputs.push_back(c.integers(axes));
  const ValueId y = c.add("ReduceMean", inputs, {{"keepdims", c.attributes().integer("keepdims", 1)}});
  c.finish("QuantizeLinear", {y, c.input(kResultScale), c.zero_point(kResultZero, kX)});
}

// Inputs: scale and zero point of the result, then each part, its scale and its zero point.
void q_linear_concat(Composition& c) {
  c.attributes().require("axis");
  c.require(c.input_count());
  Inputs parts;
  for (size_t i = 2; i + 2 < c.input_count(); i += 3) parts.push_back(c.dequantized(i, i + 1, i + 2));
  const ValueId y = c.add("Concat", parts, {{"axis", c.attributes().integer("axis", 0)}});
  c.finish("QuantizeLinear", {y, c.input(0), c.input(1)});
}

void q_linear_where(Composition& c) {
  c.require(9);
  const ValueId y = c.add("Where", {c.input(0), c.dequantized(1, 2, 3), c.dequantized(4, 5, 6)});
  c.finish("QuantizeLinear", {y, c.input(7), c.input(8)});
}

// The sums of an integer product times their scale, and a bias.
void scale_sums(Composition& c, ValueId sums, ValueId scale, ValueId bias) {
  const AttributeMap to_float{{"to", static_cast<int64_t>(DType::Float32)}};
  const ValueId real = c.add("Cast", {sums}, to_float);
  if (bias == kNone) return c.finish("Mul", {real, scale});
  c.finish("Add", {c.add("Mul", {real, scale}), bias});
}

void matmul_integer_to_float(Composition& c) {
  c.require(4);
  const ValueId sums = c.add("MatMulInteger", {c.input(0), c.input(1), c.input(4), c.input(5)});
  scale_sums(c, sums, c.add("Mul", {c.input(2), c.input(3)}), c.input(6));
}

void dynamic_quantize_matmul(Composition& c) {
  c.require(3);
  const ValueId a = c.value(), scale = c.value(), zero = c.value();
  c.write("DynamicQuantizeLinear", {c.input(0)}, {a, scale, zero});
  const ValueId sums = c.add("MatMulInteger", {a, c.input(1), zero, c.input(3)});
  scale_sums(c, sums, c.add("Mul", {scale, c.input(2)}), c.input(4));
}

// Inputs: A, its scale and zero point, the same of B, an int32 bias, scale and zero point of the result.
void q_gemm(Composition& c) {
  c.require(6);
  const auto operand = [&](size_t i, std::string_view transposed) {
    return c.attributes().flag(transposed, false) ? c.add("Transpose", {c.input(i)}) : c.input(i);
  };
  ValueId sums = c.add("MatMulInteger", {operand(0, "transA"), operand(3, "transB"), c.input(2), c.input(5)});
  if (c.has(6)) sums = c.add("Add", {sums, c.input(6)});
  ValueId scale = c.add("Mul", {c.input(1), c.input(4)});
  const float alpha = c.attributes().number("alpha", 1);
  if (alpha != 1) scale = c.add("Mul", {scale, c.number(alpha)});
  if (!c.has(7)) return scale_sums(c, sums, scale, kNone);
  const ValueId real = c.add("Cast", {sums}, {{"to", static_cast<int64_t>(DType::Float32)}});
  const ValueId y = c.add("Mul", {real, c.add("Div", {scale, c.input(7)})});
  c.finish("QuantizeLinear", {y, c.number(1), c.zero_point(8, 0)});
}

// Inputs: x, weights, bias, scales of x and weights, mask, zero points of x and weights, past.
void q_attention(Composition& c) {
  c.require(5);
  const ValueId x = c.dequantized(0, 3, 6);
  const ValueId weights = c.dequantized(1, 4, 7);
  c.write("Attention", {x, weights, c.input(2), c.input(5), c.input(8)}, {c.output(0), c.output(1)},
          c.attributes().all(), kMicrosoftDomain);
}

// Inputs: words, segments, the tables, gamma and beta, a mask, then scales and zero points of those five.
void q_embed_layer_norm(Composition& c) {
  constexpr size_t kTables = 2, kCount = 5, kScales = 8, kZeros = 13;
  Inputs inputs{c.input(0), c.input(1)};
  for (size_t i = 0; i < kCount; ++i) {
    inputs.push_back(c.has(kTables + i) ? c.dequantized(kTables + i, kScales + i, kZeros + i) : kNone);
  }
  inputs.push_back(c.input(7));
  c.write("EmbedLayerNormalization", inputs, {c.output(0), c.output(1)}, c.attributes().all(), kMicrosoftDomain);
}

// Inputs: A and its zero point, B and its zero point.
void mul_integer(Composition& c) {
  const AttributeMap to_int{{"to", static_cast<int64_t>(DType::Int32)}};
  const auto operand = [&](size_t i) {
    const ValueId x = c.add("Cast", {c.input(i)}, to_int);
    return c.has(i + 1) ? c.add("Sub", {x, c.add("Cast", {c.input(i + 1)}, to_int)}) : x;
  };
  c.finish("Mul", {operand(0), operand(2)});
}

void reduce_sum_integer(Composition& c) {
  const std::vector<int64_t> axes = c.attributes().integers("axes");
  Inputs inputs{c.add("Cast", {c.input(0)}, {{"to", static_cast<int64_t>(DType::Int32)}})};
  if (!axes.empty()) inputs.push_back(c.integers(axes));
  c.finish("ReduceSum", inputs, {{"keepdims", c.attributes().integer("keepdims", 1)}});
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    composition_in(kMicrosoftDomain, "QLinearSigmoid", 1, {.inputs = 5, .outputs = 1}, q_linear_sigmoid),
    composition_in(kMicrosoftDomain, "QLinearLeakyRelu", 1, {.inputs = 5, .outputs = 1}, q_linear_leaky_relu),
    composition_in(kMicrosoftDomain, "QLinearSoftmax", 1, {.inputs = 5, .outputs = 1}, q_linear_softmax),
    composition_in(kMicrosoftDomain, "QLinearAveragePool", 1, {.inputs = 5, .outputs = 1}, q_linear_average_pool),
    composition_in(kMicrosoftDomain, "QLinearGlobalAveragePool", 1, {.inputs = 5, .outputs = 1},
                   q_linear_global_average_pool),
    composition_in(kMicrosoftDomain, "QLinearReduceMean", 1, {.inputs = 5, .outputs = 1}, q_linear_reduce_mean),
    composition_in(kMicrosoftDomain, "QLinearConcat", 1, {.inputs = kAny, .outputs = 1}, q_linear_concat),
    composition_in(kMicrosoftDomain, "QLinearWhere", 1, {.inputs = 9, .outputs = 1}, q_linear_where),
    composition_in(kMicrosoftDomain, "MatMulIntegerToFloat", 1, {.inputs = 7, .outputs = 1}, matmul_integer_to_float),
    composition_in(kMicrosoftDomain, "DynamicQuantizeMatMul", 1, {.inputs = 5, .outputs = 1}, dynamic_quantize_matmul),
    composition_in(kMicrosoftDomain, "QGemm", 1, {.inputs = 9, .outputs = 1}, q_gemm),
    composition_in(kMicrosoftDomain, "QAttention", 1, {.inputs = 9, .outputs = 2}, q_attention),
    composition_in(kMicrosoftDomain, "QEmbedLayerNormalization", 1, {.inputs = 18, .outputs = 2}, q_embed_layer_norm),
    composition_in(kMicrosoftDomain, "MulInteger", 1, {.inputs = 4, .outputs = 1}, mul_integer),
    composition_in(kMicrosoftDomain, "ReduceSumInteger", 1, {.inputs = 1, .outputs = 1}, reduce_sum_integer),
};

NM_OPERATORS(quantized_compositions, kEntries)

}  // namespace nm
