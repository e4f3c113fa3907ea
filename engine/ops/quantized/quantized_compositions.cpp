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
void between(Composition& composition, std::string_view op, AttributeMap attributes) {
  composition.require(2);
  const ValueId y = composition.add(op, {composition.dequantized(kX, kScale, kZero)}, std::move(attributes));
  composition.finish("QuantizeLinear", {y, composition.input(kResultScale), composition.zero_point(kResultZero, kX)});
}

// The call's own attributes, but for those that only it knows.
AttributeMap attributes_without(Composition& composition, std::initializer_list<std::string_view> names) {
  AttributeMap kept = composition.attributes().all();
  for (const std::string_view name : names) kept.erase(name);
  return kept;
}

void q_linear_sigmoid(Composition& composition) { between(composition, "Sigmoid", {}); }

void q_linear_leaky_relu(Composition& composition) {
  between(composition, "LeakyRelu", {{"alpha", composition.attributes().number("alpha", 0.01f)}});
}

void q_linear_softmax(Composition& composition) {
  const int64_t axis = composition.attributes().integer("axis", -1);
  if (composition.attributes().integer("opset", 13) >= 13) return between(composition, "Softmax", {{"axis", axis}});
  // The older form makes a matrix of the input: all dimensions from the axis on are one row.
  composition.require(2);
  const ValueId x = composition.dequantized(kX, kScale, kZero);
  const ValueId rows =
      composition.add("Softmax", {composition.add("Flatten", {x}, {{"axis", axis}})}, {{"axis", int64_t{-1}}});
  const ValueId y = composition.add("Reshape", {rows, composition.add("Shape", {x})}, {{"allowzero", int64_t{1}}});
  composition.finish("QuantizeLinear", {y, composition.input(kResultScale), composition.zero_point(kResultZero, kX)});
}

// Pools, whose attribute `channels_last` is what the layout pass says to the standard ones.
AttributeMap pool_attributes(Composition& composition) {
  AttributeMap attributes = attributes_without(composition, {"channels_last"});
  if (composition.attributes().flag("channels_last", false)) attributes.emplace(kChannelsLast, int64_t{1});
  return attributes;
}

void q_linear_average_pool(Composition& composition) {
  between(composition, "AveragePool", pool_attributes(composition));
}
void q_linear_global_average_pool(Composition& composition) {
  between(composition, "GlobalAveragePool", pool_attributes(composition));
}

void q_linear_reduce_mean(Composition& composition) {
  composition.require(2);
  const std::vector<int64_t> axes = composition.attributes().integers("axes");
  Inputs inputs{composition.dequantized(kX, kScale, kZero)};
  if (!axes.empty()) inputs.push_back(composition.integers(axes));
  const ValueId y =
      composition.add("ReduceMean", inputs, {{"keepdims", composition.attributes().integer("keepdims", 1)}});
  composition.finish("QuantizeLinear", {y, composition.input(kResultScale), composition.zero_point(kResultZero, kX)});
}

// Inputs: scale and zero point of the result, then each part, its scale and its zero point.
void q_linear_concat(Composition& composition) {
  composition.attributes().require("axis");
  composition.require(composition.input_count());
  Inputs parts;
  for (size_t i = 2; i + 2 < composition.input_count(); i += 3)
    parts.push_back(composition.dequantized(i, i + 1, i + 2));
  const ValueId y = composition.add("Concat", parts, {{"axis", composition.attributes().integer("axis", 0)}});
  composition.finish("QuantizeLinear", {y, composition.input(0), composition.input(1)});
}

void q_linear_where(Composition& composition) {
  composition.require(9);
  const ValueId y = composition.add(
      "Where", {composition.input(0), composition.dequantized(1, 2, 3), composition.dequantized(4, 5, 6)});
  composition.finish("QuantizeLinear", {y, composition.input(7), composition.input(8)});
}

// The sums of an integer product times their scale, and a bias.
void scale_sums(Composition& composition, ValueId sums, ValueId scale, ValueId bias) {
  const AttributeMap to_float{{"to", static_cast<int64_t>(DType::Float32)}};
  const ValueId real = composition.add("Cast", {sums}, to_float);
  if (bias == kNone) return composition.finish("Mul", {real, scale});
  composition.finish("Add", {composition.add("Mul", {real, scale}), bias});
}

void matmul_integer_to_float(Composition& composition) {
  composition.require(4);
  const ValueId sums = composition.add(
      "MatMulInteger", {composition.input(0), composition.input(1), composition.input(4), composition.input(5)});
  scale_sums(composition, sums, composition.add("Mul", {composition.input(2), composition.input(3)}),
             composition.input(6));
}

void dynamic_quantize_matmul(Composition& composition) {
  composition.require(3);
  const ValueId a = composition.value(), scale = composition.value(), zero = composition.value();
  composition.write("DynamicQuantizeLinear", {composition.input(0)}, {a, scale, zero});
  const ValueId sums = composition.add("MatMulInteger", {a, composition.input(1), zero, composition.input(3)});
  scale_sums(composition, sums, composition.add("Mul", {scale, composition.input(2)}), composition.input(4));
}

// Inputs: A, its scale and zero point, the same of B, an int32 bias, scale and zero point of the result.
void q_gemm(Composition& composition) {
  composition.require(6);
  const auto operand = [&](size_t i, std::string_view transposed) {
    return composition.attributes().flag(transposed, false) ? composition.add("Transpose", {composition.input(i)})
                                                            : composition.input(i);
  };
  ValueId sums = composition.add(
      "MatMulInteger", {operand(0, "transA"), operand(3, "transB"), composition.input(2), composition.input(5)});
  if (composition.has(6)) sums = composition.add("Add", {sums, composition.input(6)});
  ValueId scale = composition.add("Mul", {composition.input(1), composition.input(4)});
  const float alpha = composition.attributes().number("alpha", 1);
  if (alpha != 1) scale = composition.add("Mul", {scale, composition.number(alpha)});
  if (!composition.has(7)) return scale_sums(composition, sums, scale, kNone);
  const ValueId real = composition.add("Cast", {sums}, {{"to", static_cast<int64_t>(DType::Float32)}});
  const ValueId y = composition.add("Mul", {real, composition.add("Div", {scale, composition.input(7)})});
  composition.finish("QuantizeLinear", {y, composition.number(1), composition.zero_point(8, 0)});
}

// Inputs: x, weights, bias, scales of x and weights, mask, zero points of x and weights, past.
void q_attention(Composition& composition) {
  composition.require(5);
  const ValueId x = composition.dequantized(0, 3, 6);
  const ValueId weights = composition.dequantized(1, 4, 7);
  composition.write("Attention", {x, weights, composition.input(2), composition.input(5), composition.input(8)},
                    {composition.output(0), composition.output(1)}, composition.attributes().all(), kMicrosoftDomain);
}

// Inputs: words, segments, the tables, gamma and beta, a mask, then scales and zero points of those five.
void q_embed_layer_norm(Composition& composition) {
  constexpr size_t kTables = 2, kCount = 5, kScales = 8, kZeros = 13;
  Inputs inputs{composition.input(0), composition.input(1)};
  for (size_t i = 0; i < kCount; ++i) {
    inputs.push_back(composition.has(kTables + i) ? composition.dequantized(kTables + i, kScales + i, kZeros + i)
                                                  : kNone);
  }
  inputs.push_back(composition.input(7));
  composition.write("EmbedLayerNormalization", inputs, {composition.output(0), composition.output(1)},
                    composition.attributes().all(), kMicrosoftDomain);
}

// Inputs: A and its zero point, B and its zero point.
void mul_integer(Composition& composition) {
  const AttributeMap to_int{{"to", static_cast<int64_t>(DType::Int32)}};
  const auto operand = [&](size_t i) {
    const ValueId x = composition.add("Cast", {composition.input(i)}, to_int);
    return composition.has(i + 1)
               ? composition.add("Sub", {x, composition.add("Cast", {composition.input(i + 1)}, to_int)})
               : x;
  };
  composition.finish("Mul", {operand(0), operand(2)});
}

void reduce_sum_integer(Composition& composition) {
  const std::vector<int64_t> axes = composition.attributes().integers("axes");
  Inputs inputs{composition.add("Cast", {composition.input(0)}, {{"to", static_cast<int64_t>(DType::Int32)}})};
  if (!axes.empty()) inputs.push_back(composition.integers(axes));
  composition.finish("ReduceSum", inputs, {{"keepdims", composition.attributes().integer("keepdims", 1)}});
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
