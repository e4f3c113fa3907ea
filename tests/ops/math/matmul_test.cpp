#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

Tensor left() { return tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}); }
Tensor right() { return tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}); }
Tensor left_right() { return tensor<float>({2, 2}, {22, 28, 49, 64}); }

Tensor cycling(const Shape& shape) {
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
  const Tensor a = cycling({3, 2, 17, 40}), b = cycling({3, 2, 40, 33}), shared = cycling({40, 33});
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

TEST_CASE("GroupedMatMul multiplies each row by the matrices that are chosen for it", "[ops][grouped_matmul]") {
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

}  // namespace
}  // namespace nm::test
