#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

Tensor left() { return tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}); }
Tensor right() { return tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}); }
Tensor left_right() { return tensor<float>({2, 2}, {22, 28, 49, 64}); }

Tensor counting(const Shape& shape) {
  Tensor t = *Tensor::create(DType::Float32, shape);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(i % 7) - 3;
  return t;
}

// A plain product of `batch` matrices, to compare large ones with.
Tensor product(const Tensor& a, const Tensor& b, const Shape& out, bool one_b) {
  Tensor c = *Tensor::create(DType::Float32, out);
  const int64_t m = out[out.rank() - 2], n = out.back(), k = a.shape().back();
  for (int64_t i = 0; i < c.count(); ++i) {
    const int64_t batch = i / (m * n), row = i / n % m, col = i % n;
    float sum = 0;
    for (int64_t s = 0; s < k; ++s) {
      sum += a.data<float>()[(batch * m + row) * k + s] * b.data<float>()[((one_b ? 0 : batch) * k + s) * n + col];
    }
    c.data<float>()[i] = sum;
  }
  return c;
}

TEST_CASE("MatMul follows NumPy", "[ops][matmul]") {
  check(node("MatMul", 13), {left(), right()}, {left_right()});
  check(node("MatMul", 1), {tensor<float>({3}, {1, 2, 3}), right()}, {tensor<float>({2}, {22, 28})});
  check(node("MatMul", 9), {left(), tensor<float>({3}, {1, 3, 5})}, {tensor<float>({2}, {22, 49})});
  check(node("MatMul", 13), {tensor<float>({2}, {1, 2}), tensor<float>({2}, {3, 4})}, {tensor<float>({}, {11})});
  check(node("MatMul", 13), {tensor<float>({2, 1, 1, 2}, {1, 2, 3, 4}), tensor<float>({2, 2, 1}, {1, 2, 3, 4})},
        {tensor<float>({2, 2, 1, 1}, {5, 11, 11, 25})});
  check(node("MatMul", 13), {tensor<float>({2, 0}, {}), tensor<float>({0, 2}, {})},
        {tensor<float>({2, 2}, {0, 0, 0, 0})});
  check(node("MatMul", 13), {tensor<float>({0, 3}, {}), right()}, {tensor<float>({0, 2}, {})});
  check(node("MatMul", 13), {tensor<int32_t>({1, 2}, {1, 2}), tensor<int32_t>({2, 1}, {3, 4})},
        {tensor<int32_t>({1, 1}, {11})});
  check(node("MatMul", 13), {tensor<double>({1, 2}, {1, 2}), tensor<double>({2, 1}, {3, 4})},
        {tensor<double>({1, 1}, {11})});
  const Tensor a = counting({3, 2, 17, 40}), b = counting({3, 2, 40, 33}), shared = counting({40, 33});
  check(node("MatMul", 13), {a, b}, {product(a, b, {3, 2, 17, 33}, false)});
  check(node("MatMul", 13), {a, shared}, {product(a, shared, {3, 2, 17, 33}, true)});
  check_fails(node("MatMul", 13), {left(), left()}, Code::ShapeMismatch);
  check_fails(node("MatMul", 13), {left(), tensor<float>({}, {1})}, Code::ShapeMismatch);
  check_fails(node("MatMul", 13), {left(), tensor<double>({3, 1}, {1, 2, 3})}, Code::TypeMismatch);
}

TEST_CASE("MatMul fuses bias, residual and activation", "[ops][matmul]") {
  const AttributeMap relu = {{"nm_activation", std::string("relu")}};
  const Tensor bias = tensor<float>({2}, {-22, 1}), residual = tensor<float>({2, 2}, {-1, 1, 0, -99});
  check(node("MatMul", 13), {left(), right(), bias}, {tensor<float>({2, 2}, {0, 29, 27, 65})});
  check(node("MatMul", 13, relu), {left(), right(), bias, residual}, {tensor<float>({2, 2}, {0, 30, 27, 0})});
  check(node("MatMul", 13,
             {{"nm_activation", std::string("clip")}, {"nm_activation_params", std::vector<float>{25, 50}}}),
        {left(), right()}, {tensor<float>({2, 2}, {25, 28, 49, 50})});
  check_fails(node("MatMul", 13, {{"nm_activation", std::string("sine")}}), {left(), right()}, Code::InvalidModel);
  check_fails(node("MatMul", 13), {left(), right(), tensor<float>({3}, {1, 2, 3})}, Code::ShapeMismatch);
}

TEST_CASE("FusedMatMul transposes and scales", "[ops][matmul]") {
  const Tensor at = tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6}), bt = tensor<float>({2, 3}, {1, 3, 5, 2, 4, 6});
  const AttributeMap both = {{"transA", int64_t{1}}, {"transB", int64_t{1}}, {"alpha", 0.5f}};
  check(node("FusedMatMul", 1, both, "com.microsoft"), {at, bt}, {tensor<float>({2, 2}, {11, 14, 24.5f, 32})});
  check(node("FusedMatMul", 1, {{"transB", int64_t{1}}}, "com.microsoft"), {left(), bt}, {left_right()});
}

TEST_CASE("Gemm: transposes, factors and every shape of C", "[ops][gemm]") {
  const Tensor at = tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6}), bt = tensor<float>({2, 3}, {1, 3, 5, 2, 4, 6});
  check(node("Gemm", 13), {left(), right()}, {left_right()});
  check(node("Gemm", 7, {{"transA", int64_t{1}}, {"transB", int64_t{1}}}), {at, bt, tensor<float>({2}, {1, 2})},
        {tensor<float>({2, 2}, {23, 30, 50, 66})});
  const AttributeMap scaled = {{"alpha", 2.0f}, {"beta", 0.5f}};
  check(node("Gemm", 13, scaled), {left(), right(), tensor<float>({2}, {2, 4})},
        {tensor<float>({2, 2}, {45, 58, 99, 130})});
  check(node("Gemm", 13, scaled), {left(), right(), tensor<float>({2, 1}, {2, 4})},
        {tensor<float>({2, 2}, {45, 57, 100, 130})});
  check(node("Gemm", 13, scaled), {left(), right(), tensor<float>({}, {2})},
        {tensor<float>({2, 2}, {45, 57, 99, 129})});
  check(node("Gemm", 6, {{"broadcast", int64_t{1}}}), {left(), right(), tensor<float>({2, 2}, {1, 2, 3, 4})},
        {tensor<float>({2, 2}, {23, 30, 52, 68})});
  check(node("Gemm", 13, {{"nm_activation", std::string("relu")}}), {left(), right(), tensor<float>({2}, {-30, 0})},
        {tensor<float>({2, 2}, {0, 28, 19, 64})});
  check(node("Gemm", 13), {tensor<int64_t>({1, 2}, {1, 2}), tensor<int64_t>({2, 1}, {3, 4}), tensor<int64_t>({}, {5})},
        {tensor<int64_t>({1, 1}, {16})});
  check(node("Gemm", 13, {{"alpha", 0.5f}}), {tensor<double>({1, 2}, {1, 2}), tensor<double>({2, 1}, {3, 4})},
        {tensor<double>({1, 1}, {5.5})});
  check_fails(node("Gemm", 13), {left(), right(), tensor<float>({3}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(node("Gemm", 13), {left(), tensor<float>({3}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(node("Gemm", 13), {left(), right(), tensor<double>({2}, {1, 2})}, Code::TypeMismatch);
}

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

TEST_CASE("Einsum", "[ops][einsum]") {
  const auto einsum = [](const char* equation) { return node("Einsum", 12, {{"equation", std::string(equation)}}); };
  const Tensor square = tensor<float>({2, 2}, {1, 2, 3, 4});
  check(einsum("ij,jk->ik"), {left(), right()}, {left_right()});
  check(einsum(" ij , jk "), {left(), right()}, {left_right()});
  check(einsum("ij->ji"), {left()}, {tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6})});
  check(einsum("ij->"), {left()}, {tensor<float>({}, {21})});
  check(einsum("ii->i"), {square}, {tensor<float>({2}, {1, 4})});
  check(einsum("ii"), {square}, {tensor<float>({}, {5})});
  check(einsum("i,j->ij"), {tensor<float>({2}, {1, 2}), tensor<float>({2}, {3, 4})},
        {tensor<float>({2, 2}, {3, 4, 6, 8})});
  check(einsum("...ij,...jk->...ik"), {square, tensor<float>({1, 2, 1}, {1, 2})}, {tensor<float>({1, 2, 1}, {5, 11})});
  check(einsum("bij,bij->b"), {tensor<float>({2, 1, 2}, {1, 2, 3, 4}), tensor<float>({2, 1, 2}, {1, 1, 2, 2})},
        {tensor<float>({2}, {3, 14})});
  check(einsum("ij,jk,k->i"), {left(), right(), tensor<float>({2}, {1, 2})}, {tensor<float>({2}, {78, 177})});
  check(einsum("i,i->"), {tensor<int64_t>({2}, {2, 3}), tensor<int64_t>({2}, {5, 7})}, {tensor<int64_t>({}, {31})});
  check(einsum("ij,j->i"), {tensor<float>({2, 0}, {}), tensor<float>({0}, {})}, {tensor<float>({2}, {0, 0})});
  check_fails(einsum("ij,kj->ik"), {left(), right()}, Code::ShapeMismatch);
  check_fails(einsum("ij->k"), {left()}, Code::InvalidModel);
  check_fails(einsum("ij->ii"), {left()}, Code::InvalidModel);
  check_fails(einsum("i?->i"), {left()}, Code::InvalidModel);
  check_fails(einsum("ijk->i"), {left()}, Code::ShapeMismatch);
  check_fails(einsum("ij"), {left(), right()}, Code::InvalidModel);
}

TEST_CASE("GroupedMatMul multiplies each row by the matrices that are chosen for it", "[ops][matmul]") {
  const Tensor x = tensor<float>({2, 2}, {1, 2, 3, 4});
  const Tensor w = tensor<float>({2, 2, 1}, {1, 1, 10, 100}), bias = tensor<float>({2, 1}, {0.5f, 0.25f});
  const Tensor chosen = tensor<int64_t>({2, 2}, {0, 1, 1, 1});
  check(node("GroupedMatMul", 29), {x, w, chosen, bias}, {tensor<float>({2, 2, 1}, {3.5f, 210.25f, 430.25f, 430.25f})});
  check_fails(node("GroupedMatMul", 29), {x, w, tensor<int64_t>({2, 1}, {0, 2})}, Code::InvalidData);
  check_fails(node("GroupedMatMul", 29), {x, w, tensor<int64_t>({2, 1}, {0, -1})}, Code::InvalidData);
  check_fails(node("GroupedMatMul", 29), {x, w, tensor<int64_t>({1, 1}, {0})}, Code::ShapeMismatch);
  // Enough rows for one matrix to be packed.
  auto many = Tensor::create(DType::Float32, {20, 2});
  auto which = Tensor::create(DType::Int32, {20, 1});
  auto expected = Tensor::create(DType::Float32, {20, 1, 1});
  REQUIRE((many.ok() && which.ok() && expected.ok()));
  for (int i = 0; i < 20; ++i) {
    many->data<float>()[2 * i] = static_cast<float>(i);
    many->data<float>()[2 * i + 1] = 1;
    which->data<int32_t>()[i] = i % 2;
    expected->data<float>()[i] = i % 2 ? 10.f * static_cast<float>(i) + 100.25f : static_cast<float>(i) + 1.5f;
  }
  check(node("GroupedMatMul", 29), {*many, w, *which, bias}, {*expected});
}

TEST_CASE("Det", "[ops][det]") {
  check(node("Det", 11), {tensor<float>({2, 2}, {0, 2, 3, 4})}, {tensor<float>({}, {-6})});
  check(node("Det", 22), {tensor<double>({2, 2, 2}, {1, 2, 2, 4, 2, 0, 0, 3})}, {tensor<double>({2}, {0, 6})});
  check(node("Det", 11), {tensor<float>({1, 0, 0}, {})}, {tensor<float>({1}, {1})});
  check_fails(node("Det", 11), {left()}, Code::ShapeMismatch);
}

}  // namespace
}  // namespace nm::test
