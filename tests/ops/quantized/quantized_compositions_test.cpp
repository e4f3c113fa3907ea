#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor real(float v) { return tensor<float>({}, {v}); }
Tensor byte(uint8_t v) { return tensor<uint8_t>({}, {v}); }

}  // namespace

TEST_CASE("Quantised functions round between the real numbers behind them", "[ops][quantized_compositions]") {
  const Tensor x = tensor<uint8_t>({4}, {0, 100, 128, 255});
  check(ms("QLinearSigmoid"), {x, real(0.05f), byte(128), real(1.f / 256), byte(0)},
        {tensor<uint8_t>({4}, {0, 51, 128, 255})});
  check(ms("QLinearLeakyRelu", {{"alpha", 0.5f}}), {x, real(0.1f), byte(128), real(0.1f), byte(64)},
        {tensor<uint8_t>({4}, {0, 50, 64, 191})});
  const Tensor s = tensor<int8_t>({2, 2}, {-128, 0, 127, 1});
  // Without zero points they are 0, and of the input's type.
  check(ms("QLinearSigmoid"), {s, real(0.1f), {}, real(0.01f)}, {tensor<int8_t>({2, 2}, {0, 50, 100, 52})});
  check(ms("QLinearSoftmax", {{"axis", int64_t{1}}, {"opset", int64_t{13}}}),
        {s, real(0.01f), {}, real(0.01f), tensor<int8_t>({}, {0})}, {tensor<int8_t>({2, 2}, {22, 78, 78, 22})});
  check(ms("QLinearSoftmax", {{"axis", int64_t{0}}, {"opset", int64_t{11}}}),
        {tensor<int8_t>({2, 2}, {0, 0, 0, 0}), real(0.01f), {}, real(0.01f), tensor<int8_t>({}, {5})},
        {tensor<int8_t>({2, 2}, {30, 30, 30, 30})});
}

TEST_CASE("Quantised pools, means, concatenations and choices", "[ops][quantized_compositions]") {
  const Tensor image = tensor<uint8_t>({1, 2, 2, 1}, {10, 20, 30, 41});
  check(ms("QLinearAveragePool", {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"channels_last", int64_t{1}}}),
        {image, real(1), byte(0), real(0.5f), byte(1)}, {tensor<uint8_t>({1, 1, 1, 1}, {51})});
  check(ms("QLinearGlobalAveragePool", {{"channels_last", int64_t{0}}}), {image, real(1), byte(0), real(1), byte(0)},
        {tensor<uint8_t>({1, 2, 1, 1}, {15, 36})});
  check(ms("QLinearReduceMean", {{"axes", std::vector<int64_t>{-1, 1}}, {"keepdims", int64_t{0}}}),
        {image, real(1), byte(0), real(1), byte(0)}, {tensor<uint8_t>({1, 2}, {20, 30})});
  check(
      ms("QLinearConcat", {{"axis", int64_t{0}}}),
      {real(2), byte(1), tensor<uint8_t>({1}, {10}), real(1), byte(0), tensor<uint8_t>({2}, {3, 5}), real(4), byte(3)},
      {tensor<uint8_t>({3}, {6, 1, 5})});
  check(ms("QLinearWhere"),
        {tensor<bool>({2}, {true, false}), tensor<uint8_t>({2}, {10, 10}), real(1), byte(0), tensor<uint8_t>({1}, {7}),
         real(2), byte(1), real(1), byte(4)},
        {tensor<uint8_t>({2}, {14, 16})});
  check(ms("NhwcMaxPool", {{"kernel_shape", std::vector<int64_t>{2, 1}}}), {image},
        {tensor<uint8_t>({1, 1, 2, 1}, {30, 41})});
  check_fails(ms("QLinearConcat"), {real(2), byte(1), tensor<uint8_t>({1}, {10}), real(1), byte(0)},
              Code::InvalidModel);
  check_fails(ms("QLinearWhere"), {tensor<bool>({2}, {true, false})}, Code::MissingInput);
}

TEST_CASE("Products of 8-bit matrices as real numbers", "[ops][quantized_compositions]") {
  const Tensor a = tensor<uint8_t>({1, 2}, {3, 5});
  const Tensor b = tensor<int8_t>({2, 2}, {1, -2, 3, 4});
  const Tensor bias = tensor<float>({2}, {100, 200});
  check(ms("MatMulIntegerToFloat"), {a, b, real(0.5f), tensor<float>({2}, {2, 4}), byte(1), {}, bias},
        {tensor<float>({1, 2}, {114, 224})});
  // 8-bit steps of 2/255 cannot tell 1 from 1.0039.
  check(ms("DynamicQuantizeMatMul"), {tensor<float>({1, 2}, {0, 2}), b, real(0.5f)}, {tensor<float>({1, 2}, {3, 4})});
  const AttributeMap transposed{{"transB", int64_t{1}}, {"alpha", 0.5f}};
  const std::vector<Value> inputs{
      a, real(1), byte(1), b, real(2), tensor<int8_t>({}, {0}), tensor<int32_t>({2}, {1, 2})};
  check(ms("QGemm", transposed), inputs, {tensor<float>({1, 2}, {-5, 24})});
  std::vector<Value> quantized = inputs;
  quantized.push_back(real(2));
  quantized.push_back(byte(10));
  check(ms("QGemm", transposed), quantized, {tensor<uint8_t>({1, 2}, {8, 22})});  // -2.5 rounds to even
  check(ms("MulInteger"), {a, byte(1), tensor<uint8_t>({2}, {0, 9}), byte(4)}, {tensor<int32_t>({1, 2}, {-8, 20})});
  check(ms("ReduceSumInteger", {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}}), {b},
        {tensor<int32_t>({2}, {-1, 7})});
}
