#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("integer products are exact and saturate", "[ops][integer_matmul]") {
  const Tensor a = tensor<uint8_t>({2, 2}, {11, 7, 10, 6}), b = tensor<int8_t>({2, 2}, {1, -4, 2, 5});
  check(node("MatMulInteger", 10), {a, b}, {tensor<int32_t>({2, 2}, {25, -9, 22, -10})});
  check(node("MatMulInteger", 10), {a, b, tensor<uint8_t>({}, {12}), tensor<int8_t>({2}, {1, 0})},
        {tensor<int32_t>({2, 2}, {-5, -21, -6, -22})});
  const Tensor one = tensor<float>({}, {1}), zero = tensor<uint8_t>({}, {0}), zero8 = tensor<int8_t>({}, {0});
  check(node("QLinearMatMul", 21), {a, one, zero, b, one, zero8, tensor<float>({}, {0.125f}), zero8},
        {tensor<int8_t>({2, 2}, {127, -72, 127, -80})});
  // Rows, columns and matrices with parameters of their own.
  const Tensor rows = tensor<uint8_t>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  check(node("MatMulInteger", 10), {rows, b, tensor<uint8_t>({2}, {1, 3})},
        {tensor<int32_t>({2, 2, 2}, {2, 5, 2, 5, 14, 9, 14, 9})});
  check(node("MatMulInteger", 10),
        {rows, rows, tensor<uint8_t>({2, 2}, {1, 3, 5, 7}), tensor<uint8_t>({2, 2}, {1, 2, 5, 6})},
        {tensor<int32_t>({2, 2, 2}, {2, 2, 2, 2, 2, 2, 2, 2})});
  check(node("MatMulInteger", 10), {tensor<uint8_t>({2}, {200, 255}), tensor<uint8_t>({2, 1}, {255, 255})},
        {tensor<int32_t>({1}, {116025})});
  check(node("MatMulInteger", 10), {tensor<uint8_t>({0, 2}, {}), b}, {tensor<int32_t>({0, 2}, {})});
  check(node("MatMulInteger", 10), {tensor<uint8_t>({2, 0}, {}), tensor<int8_t>({0, 2}, {})},
        {tensor<int32_t>({2, 2}, {0, 0, 0, 0})});
  check(node("QLinearMatMul", 21),
        {a, tensor<float>({2}, {1, 2}), zero, b, tensor<float>({2}, {0.5f, 1}), zero8, one, zero},
        {tensor<uint8_t>({2, 2}, {12, 0, 22, 0})});
  const Node dequantizes = node("MatMulInteger", 10, {{"nm_dequantizes", int64_t{1}}});
  check(dequantizes, {a, b, {}, {}, tensor<float>({}, {0.5f}), tensor<float>({2}, {1, 2}), tensor<float>({2}, {1, -1})},
        {tensor<float>({2, 2}, {13.5f, -10, 12, -11})});
  check_fails(dequantizes, {a, b, {}, {}, tensor<float>({3}, {1, 1, 1})}, Code::ShapeMismatch);
  check_fails(node("MatMulInteger", 10), {a, tensor<int8_t>({3, 1}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(node("MatMulInteger", 10), {a, b, tensor<int8_t>({}, {1})}, Code::TypeMismatch);
  check_fails(node("MatMulInteger", 10), {a, b, tensor<uint8_t>({3}, {1, 2, 3})}, Code::ShapeMismatch);
}

}  // namespace
}  // namespace nm::test
