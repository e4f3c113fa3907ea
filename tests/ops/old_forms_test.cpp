// The forms that operators had in operator sets 1 to 6, where they differ from today's.
#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

using Integers = std::vector<int64_t>;

const AttributeMap kBroadcast{{"broadcast", int64_t{1}}};
const AttributeMap kBroadcastAt0{{"broadcast", int64_t{1}}, {"axis", int64_t{0}}};
// Inputs whose memory a runtime may take; nothing depends on it.
const AttributeMap kConsumed{{"consumed_inputs", Integers{1, 0}}};

}  // namespace

TEST_CASE("Before version 7, operands were broadcast where the attributes say so") {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor row = tensor<float>({3}, {10, 20, 30});
  const Tensor column = tensor<float>({2}, {10, 20});
  for (const int version : {1, 6}) {
    check(node("Add", version, kBroadcast), {x, row}, {tensor<float>({2, 3}, {11, 22, 33, 14, 25, 36})});
    check(node("Sub", version, kBroadcastAt0), {x, column}, {tensor<float>({2, 3}, {-9, -8, -7, -16, -15, -14})});
    check(node("Mul", version, kBroadcast), {x, tensor<float>({}, {2})}, {tensor<float>({2, 3}, {2, 4, 6, 8, 10, 12})});
    check(node("Div", version, kBroadcast), {x, tensor<float>({1}, {2})},
          {tensor<float>({2, 3}, {0.5f, 1, 1.5f, 2, 2.5f, 3})});
    check(node("Add", version, kConsumed), {x, x}, {tensor<float>({2, 3}, {2, 4, 6, 8, 10, 12})});
    check(node("Greater", version, kBroadcastAt0), {x, tensor<float>({2}, {2, 4})},
          {tensor<bool>({2, 3}, {false, false, true, false, true, true})});
    check(node("Pow", version, kBroadcast), {x, tensor<float>({}, {2})},
          {tensor<float>({2, 3}, {1, 4, 9, 16, 25, 36})});
  }
  const Tensor flags = tensor<bool>({2, 2}, {true, false, true, false});
  const Tensor one = tensor<bool>({2}, {true, false});
  check(node("And", 1, kBroadcastAt0), {flags, one}, {tensor<bool>({2, 2}, {true, false, false, false})});
  check(node("Or", 1, kBroadcastAt0), {flags, one}, {tensor<bool>({2, 2}, {true, true, true, false})});
  check(node("Xor", 1, kBroadcast), {flags, one}, {tensor<bool>({2, 2}, {false, false, false, false})});
  check(node("Equal", 1, kBroadcast), {tensor<int64_t>({2, 2}, {1, 2, 3, 1}), tensor<int64_t>({}, {1})},
        {tensor<bool>({2, 2}, {true, false, false, true})});
  // A middle axis of several.
  check(node("Add", 6, {{"broadcast", int64_t{1}}, {"axis", int64_t{1}}}),
        {tensor<float>({1, 2, 2}, {1, 2, 3, 4}), tensor<float>({2}, {10, 20})},
        {tensor<float>({1, 2, 2}, {11, 12, 23, 24})});
  check(node("PRelu", 6), {tensor<float>({1, 2, 2}, {-1, 1, -2, 2}), tensor<float>({2}, {0.5f, 2})},
        {tensor<float>({1, 2, 2}, {-0.5f, 1, -4, 2})});
  check(node("PRelu", 1), {tensor<float>({2}, {-1, 1}), tensor<float>({1}, {0.5f})}, {tensor<float>({2}, {-0.5f, 1})});
}

TEST_CASE("Before version 7, Gemm adds C as it is or broadcast") {
  const Tensor a = tensor<float>({2, 2}, {1, 2, 3, 4});
  const Tensor one = tensor<float>({2, 2}, {1, 0, 0, 1});
  check(node("Gemm", 1, kBroadcast), {a, one, tensor<float>({2}, {10, 20})}, {tensor<float>({2, 2}, {11, 22, 13, 24})});
  check(node("Gemm", 6, {{"transA", int64_t{1}}, {"beta", 2.0f}}), {a, one, a}, {tensor<float>({2, 2}, {3, 7, 8, 12})});
}

TEST_CASE("What is an input today was an attribute") {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  check(node("Reshape", 1, {{"shape", Integers{3, -1}}, {"consumed_inputs", Integers{0}}}), {x},
        {tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6})});
  check(node("Reshape", 1, {{"shape", Integers{0, 3, 1}}}), {x}, {tensor<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6})});
  check(node("Pad", 1, {{"paddings", Integers{0, 1, 1, 0}}, {"value", 9.0f}}), {x},
        {tensor<float>({3, 4}, {9, 1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9})});
  check(node("Pad", 2, {{"pads", Integers{0, 1, 0, 0}}, {"mode", "edge"}}), {x},
        {tensor<float>({2, 4}, {1, 1, 2, 3, 4, 4, 5, 6})});
  check(node("Slice", 1, {{"starts", Integers{1}}, {"ends", Integers{1000}}, {"axes", Integers{1}}}), {x},
        {tensor<float>({2, 2}, {2, 3, 5, 6})});
  check(node("Slice", 1, {{"starts", Integers{0, -2}}, {"ends", Integers{-1, 3}}}), {x},
        {tensor<float>({1, 2}, {2, 3})});
  check(node("Squeeze", 1, {{"axes", Integers{0}}}), {tensor<float>({1, 2}, {1, 2})}, {tensor<float>({2}, {1, 2})});
  check(node("Unsqueeze", 1, {{"axes", Integers{0, 2}}}), {tensor<float>({2}, {1, 2})},
        {tensor<float>({1, 2, 1}, {1, 2})});
  check(node("Clip", 1, {{"min", 2.0f}, {"max", 5.0f}, {"consumed_inputs", Integers{0}}}), {x},
        {tensor<float>({2, 3}, {2, 2, 3, 4, 5, 5})});
  check(node("Clip", 6, {{"max", 2.0f}}), {x}, {tensor<float>({2, 3}, {1, 2, 2, 2, 2, 2})});
  check(node("TopK", 1, {{"k", int64_t{2}}}), {x},
        {tensor<float>({2, 2}, {3, 2, 6, 5}), tensor<int64_t>({2, 2}, {2, 1, 2, 1})});
  check(node("TopK", 1, {{"k", int64_t{1}}, {"axis", int64_t{0}}}), {x},
        {tensor<float>({1, 3}, {4, 5, 6}), tensor<int64_t>({1, 3}, {1, 1, 1})});
  check(node("ReduceSum", 1, {{"axes", Integers{1}}, {"keepdims", int64_t{0}}}), {x}, {tensor<float>({2}, {6, 15})});
  check(node("Upsample", 1, {{"height_scale", 1.0f}, {"width_scale", 2.0f}}), {tensor<float>({1, 1, 1, 2}, {1, 2})},
        {tensor<float>({1, 1, 1, 4}, {1, 1, 2, 2})});
}

TEST_CASE("Split had its lengths as an input first, then as an attribute") {
  const Tensor x = tensor<float>({1, 3}, {1, 2, 3});
  const std::vector<Tensor> parts{tensor<float>({1, 1}, {1}), tensor<float>({1, 2}, {2, 3})};
  check(node("Split", 1, {{"axis", int64_t{1}}}), {x, tensor<float>({2}, {1, 2})}, parts);
  check(node("Split", 1, {{"axis", int64_t{1}}, {"split", Integers{1, 2}}}), {x}, parts);
  check(node("Split", 2, {{"axis", int64_t{1}}, {"split", Integers{1, 2}}}), {x}, parts);
  check(node("Split", 1), {tensor<float>({2}, {1, 2})}, {tensor<float>({1}, {1}), tensor<float>({1}, {2})});
}

TEST_CASE("Tile took one axis") {
  const Tensor x = tensor<float>({2, 1}, {1, 2});
  check(node("Tile", 1), {x, tensor<float>({1}, {2}), tensor<float>({1}, {1})}, {tensor<float>({2, 2}, {1, 1, 2, 2})});
  check(node("Tile", 1), {x, tensor<int64_t>({}, {2}), tensor<int64_t>({}, {0})},
        {tensor<float>({4, 1}, {1, 2, 1, 2})});
}

TEST_CASE("Cast named its type by a word") {
  const Tensor x = tensor<float>({2}, {1.5f, 0});
  check(node("Cast", 1, {{"to", "INT32"}}), {x}, {tensor<int32_t>({2}, {1, 0})});
  check(node("Cast", 1, {{"to", "BOOL"}}), {x}, {tensor<bool>({2}, {true, false})});
  check(node("Cast", 1, {{"to", "DOUBLE"}}), {x}, {tensor<double>({2}, {1.5, 0})});
  check_fails(node("Cast", 1, {{"to", "NUMBER"}}), {x}, Code::InvalidModel);
}

TEST_CASE("Other axes were the default") {
  const Tensor x = tensor<float>({1, 2}, {1, 2});
  check(node("Concat", 1), {x, x}, {tensor<float>({1, 4}, {1, 2, 1, 2})});
  check(node("Concat", 1, {{"axis", int64_t{0}}}), {x, x}, {tensor<float>({2, 2}, {1, 2, 1, 2})});
  const Tensor cube = tensor<float>({1, 2, 2}, {0, 0, 0, 0});
  check(node("Softmax", 1), {cube}, {tensor<float>({1, 2, 2}, {0.25f, 0.25f, 0.25f, 0.25f})});
  check(node("Softmax", 1, {{"axis", int64_t{2}}}), {cube}, {tensor<float>({1, 2, 2}, {0.5f, 0.5f, 0.5f, 0.5f})});
  check(node("Hardmax", 1), {tensor<float>({1, 2, 2}, {1, 4, 2, 3})}, {tensor<float>({1, 2, 2}, {0, 1, 0, 0})});
}

TEST_CASE("BatchNormalization: inference by its old names") {
  const Tensor x = tensor<float>({1, 2, 1, 1}, {3, 5});
  const Tensor scale = tensor<float>({2}, {2, 1}), bias = tensor<float>({2}, {1, 0});
  const Tensor mean = tensor<float>({2}, {1, 1}), variance = tensor<float>({2}, {4, 4});
  for (const AttributeMap& attributes :
       {AttributeMap{{"is_test", int64_t{1}}, {"epsilon", 0.0f}, {"consumed_inputs", Integers{0, 0, 0, 1, 1}}},
        AttributeMap{{"is_test", int64_t{1}}, {"epsilon", 0.0f}}}) {
    check(node("BatchNormalization", attributes.contains("consumed_inputs") ? 1 : 6, attributes),
          {x, scale, bias, mean, variance}, {tensor<float>({1, 2, 1, 1}, {3, 2})});
  }
  // Statistics for every cell of an image.
  check(node("BatchNormalization", 7, {{"spatial", int64_t{0}}, {"epsilon", 0.0f}}),
        {tensor<float>({2, 1, 2}, {3, 5, 1, 1}), tensor<float>({1, 2}, {2, 1}), tensor<float>({1, 2}, {1, 0}),
         tensor<float>({1, 2}, {1, 1}), tensor<float>({1, 2}, {4, 4})},
        {tensor<float>({2, 1, 2}, {3, 2, 1, 0})});
}

TEST_CASE("Unary operators and sums with consumed inputs") {
  const Tensor x = tensor<float>({2}, {-1, 4});
  const auto unary = [&](const char* name, float first, float second) {
    check(node(name, 1, {{"consumed_inputs", Integers{0}}}), {x}, {tensor<float>({2}, {first, second})});
  };
  unary("Abs", 1, 4);
  unary("Neg", 1, -4);
  unary("Relu", 0, 4);
  unary("Ceil", -1, 4);
  unary("Floor", -1, 4);
  unary("Reciprocal", -1, 0.25f);
  unary("Sigmoid", 0.26894143f, 0.9820138f);
  unary("LeakyRelu", -0.01f, 4);
  unary("Selu", -1.0507f * 1.6732f * 0.63212056f, 4 * 1.0507f);
  unary("HardSigmoid", 0.3f, 1);
  const Tensor y = tensor<float>({2}, {3, 0});
  check(node("Sum", 1, {{"consumed_inputs", Integers{0, 0, 0}}}), {x, y, y}, {tensor<float>({2}, {5, 4})});
  check(node("Max", 1), {x, y}, {tensor<float>({2}, {3, 4})});
  check(node("Min", 6), {x, y}, {tensor<float>({2}, {-1, 0})});
  check(node("Mean", 1), {x, y}, {tensor<float>({2}, {1, 2})});
}

TEST_CASE("Pools and norms by floats") {
  const Tensor x = tensor<float>({1, 1, 1, 2}, {3, 4});
  check(node("GlobalLpPool", 1, {{"p", 2.0f}}), {x}, {tensor<float>({1, 1, 1, 1}, {5})});
  check(node("LpPool", 1, {{"p", 2.0f}, {"kernel_shape", Integers{1, 2}}}), {x}, {tensor<float>({1, 1, 1, 1}, {5})});
  check(node("AveragePool", 1, {{"kernel_shape", Integers{1, 2}}, {"pads", Integers{0, 1, 0, 0}}}), {x},
        {tensor<float>({1, 1, 1, 2}, {3, 3.5f})});
}
