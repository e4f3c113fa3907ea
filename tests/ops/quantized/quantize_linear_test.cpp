#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor scale(float s) { return tensor<float>({}, {s}); }

Tensor packed(DType t, const Shape& shape, std::initializer_list<uint8_t> bytes) {
  Tensor out = Tensor::create(t, shape).value();
  REQUIRE(out.bytes() == bytes.size());
  std::copy(bytes.begin(), bytes.end(), static_cast<uint8_t*>(out.raw()));
  return out;
}

}  // namespace

TEST_CASE("QuantizeLinear", "[ops][quantize_linear]") {
  const Tensor x = tensor<float>({6}, {0, 2, 3, 1000, -254, -1000});
  check(node("QuantizeLinear", 10), {x, scale(2), tensor<uint8_t>({}, {128})},
        {tensor<uint8_t>({6}, {128, 129, 130, 255, 1, 0})});
  check(node("QuantizeLinear", 10), {x, scale(2)}, {tensor<uint8_t>({6}, {0, 1, 2, 255, 0, 0})});
  check(node("QuantizeLinear", 13), {x, scale(2), tensor<int8_t>({}, {-1})},
        {tensor<int8_t>({6}, {-1, 0, 1, 127, -128, -128})});
  check(node("QuantizeLinear", 21), {x, scale(0.01f), tensor<uint16_t>({}, {1000})},
        {tensor<uint16_t>({6}, {1000, 1200, 1300, 65535, 0, 0})});
  check(node("QuantizeLinear", 21, {{"output_dtype", static_cast<int64_t>(DType::Int16)}}), {x, scale(1)},
        {tensor<int16_t>({6}, {0, 2, 3, 1000, -254, -1000})});
  check(node("QuantizeLinear", 10), {tensor<int32_t>({2}, {10, -10}), scale(4), tensor<int8_t>({}, {0})},
        {tensor<int8_t>({2}, {2, -2})});
  const Tensor rows = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  check(node("QuantizeLinear", 13, {{"axis", int64_t{0}}}),
        {rows, tensor<float>({2}, {1, 2}), tensor<uint8_t>({2}, {0, 10})},
        {tensor<uint8_t>({2, 3}, {1, 2, 3, 12, 12, 13})});
  check(node("QuantizeLinear", 13), {rows, tensor<float>({3}, {1, 2, 3})},
        {tensor<uint8_t>({2, 3}, {1, 1, 1, 4, 2, 2})});
  check(node("QuantizeLinear", 21, {{"block_size", int64_t{2}}}), {rows, tensor<float>({2, 2}, {1, 3, 2, 6})},
        {tensor<uint8_t>({2, 3}, {1, 2, 1, 2, 2, 1})});
  check(node("QuantizeLinear", 21, {{"axis", int64_t{0}}, {"block_size", int64_t{2}}}),
        {rows, tensor<float>({1, 3}, {1, 2, 3})}, {tensor<uint8_t>({2, 3}, {1, 1, 1, 4, 2, 2})});
  check(node("QuantizeLinear", 21), {tensor<float>({3}, {-20, 3, 5}), scale(1), packed(DType::Int4, {}, {0x01})},
        {packed(DType::Int4, {3}, {0x48, 0x06})});
  check(node("QuantizeLinear", 19), {tensor<float>({3}, {0, 1, 1000}), scale(2), packed(DType::Float8E4M3FN, {}, {0})},
        {packed(DType::Float8E4M3FN, {3}, {0x00, 0x30, 0x7e})});
  check_fails(node("QuantizeLinear", 13), {rows, tensor<float>({2}, {1, 2})}, Code::ShapeMismatch);
  check_fails(node("QuantizeLinear", 13), {rows, scale(1), tensor<float>({}, {0})}, Code::TypeMismatch);
  check_fails(node("QuantizeLinear", 13, {{"axis", int64_t{5}}}), {rows, tensor<float>({3}, {1, 2, 3})},
              Code::ShapeMismatch);
  check_fails(node("QuantizeLinear", 21, {{"block_size", int64_t{2}}}),
              {rows, tensor<float>({2, 3}, {1, 1, 1, 1, 1, 1})}, Code::ShapeMismatch);
}

TEST_CASE("DequantizeLinear", "[ops][dequantize_linear]") {
  check(node("DequantizeLinear", 10), {tensor<uint8_t>({4}, {0, 3, 128, 255}), scale(2), tensor<uint8_t>({}, {128})},
        {tensor<float>({4}, {-256, -250, 0, 254})});
  check(node("DequantizeLinear", 10), {tensor<int8_t>({2}, {-128, 127}), scale(0.5f)},
        {tensor<float>({2}, {-64, 63.5f})});
  check(node("DequantizeLinear", 10), {tensor<int32_t>({2}, {-70000, 3}), scale(0.5f)},
        {tensor<float>({2}, {-35000, 1.5f})});
  check(node("DequantizeLinear", 21), {tensor<int16_t>({2}, {-300, 3}), scale(1), tensor<int16_t>({}, {100})},
        {tensor<float>({2}, {-400, -97})});
  const Tensor rows = tensor<int8_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  check(node("DequantizeLinear", 13, {{"axis", int64_t{0}}}),
        {rows, tensor<float>({2}, {1, 2}), tensor<int8_t>({2}, {1, 0})}, {tensor<float>({2, 3}, {0, 1, 2, 8, 10, 12})});
  check(node("DequantizeLinear", 13), {rows, tensor<float>({3}, {1, 2, 3}), tensor<int8_t>({3}, {0, 1, 2})},
        {tensor<float>({2, 3}, {1, 2, 3, 4, 8, 12})});
  check(node("DequantizeLinear", 21, {{"block_size", int64_t{2}}}), {rows, tensor<float>({2, 2}, {1, 2, 3, 4})},
        {tensor<float>({2, 3}, {1, 2, 6, 12, 15, 24})});
  check(node("DequantizeLinear", 21), {packed(DType::Int4, {3}, {0x7f, 0x08}), scale(2)},
        {tensor<float>({3}, {-2, 14, -16})});
  check(node("DequantizeLinear", 19), {packed(DType::Float8E5M2, {2}, {0x3c, 0xc0}), scale(3)},
        {tensor<float>({2}, {3, -6})});
  check(node("DequantizeLinear", 19), {tensor<uint8_t>({2}, {1, 2}), tensor<float16>({}, {float16(0.5f)})},
        {tensor<float16>({2}, {float16(0.5f), float16(1.f)})});
  check_fails(node("DequantizeLinear", 13), {rows, scale(1), tensor<uint8_t>({}, {0})}, Code::TypeMismatch);
  check_fails(node("DequantizeLinear", 13), {tensor<float>({1}, {1}), scale(1)}, Code::TypeMismatch);
  check_fails(node("DequantizeLinear", 13), {rows, tensor<float>({2}, {1, 2})}, Code::ShapeMismatch);
}

TEST_CASE("DynamicQuantizeLinear", "[ops][quantize_linear]") {
  check(node("DynamicQuantizeLinear", 11), {tensor<float>({6}, {0, 2, -3, -2.5f, 1.34f, 0.5f})},
        {tensor<uint8_t>({6}, {153, 255, 0, 26, 221, 179}), scale(5.0f / 255), tensor<uint8_t>({}, {153})});
  check(node("DynamicQuantizeLinear", 11), {tensor<float>({2}, {0, 0})},
        {tensor<uint8_t>({2}, {0, 0}), scale(1), tensor<uint8_t>({}, {0})});
}
