// Sums of millions of numbers. One number, again and again, is the worst case: all roundings go the same way.
#include <cmath>

#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

constexpr int64_t kMany = 1 << 22;

void check_first(const Node& n, const std::vector<Value>& inputs, double expected, double rtol = 1e-6) {
  auto results = run(n, inputs);
  INFO(n.op_type << ": " << results.status().message());
  REQUIRE(results.ok());
  const double actual = (*results)[0].tensor()->data<float>()[0];
  INFO(actual << " where " << expected << " was expected");
  CHECK(std::abs(actual - expected) <= rtol * std::abs(expected));
}

TEST_CASE("Reductions of 4 million numbers are right to a millionth", "[ops][reduce]") {
  const double n = kMany;
  for (const float value : {0.1f, 1.2345f}) {
    const double v = value;
    // Rows, columns, planes of columns.
    for (const Shape& shape : {Shape{1, kMany}, Shape{kMany, 1}, Shape{kMany / 2, 2}, Shape{kMany / 16, 16}}) {
      const Tensor x = repeated(shape, value);
      const int64_t axis = shape[0] == 1 ? 1 : 0;
      const double count = static_cast<double>(shape[static_cast<int>(axis)]);
      const AttributeMap along{{"axes", std::vector<int64_t>{axis}}};
      check_first(node("ReduceSum", 11, along), {x}, v * count);
      check_first(node("ReduceMean", 13, along), {x}, v);
      check_first(node("ReduceL1", 13, along), {x}, v * count);
      check_first(node("ReduceL2", 13, along), {x}, v * std::sqrt(count));
      check_first(node("ReduceSumSquare", 13, along), {x}, v * v * count);
      check_first(node("ReduceLogSumExp", 13, along), {x}, v + std::log(count));
      check_first(node("Softmax", 13, {{"axis", axis}}), {x}, 1 / count);
      check_first(node("LpNormalization", 22, {{"axis", axis}}), {x}, 1 / std::sqrt(count));
    }
    check_first(node("GlobalAveragePool", 1), {repeated({1, 1, 2048, 2048}, value)}, v);
    check_first(node("AveragePool", 11, {{"kernel_shape", std::vector<int64_t>{2048, 2048}}}),
                {repeated({1, 1, 2048, 2048}, value)}, v);
    check_first(node("Einsum", 12, {{"equation", std::string("i->")}}), {repeated({kMany}, value)}, v * n);
  }
}

TEST_CASE("Products over 4 million numbers are right to 2 millionths", "[ops][matmul]") {
  const double n = kMany;
  for (const float value : {0.1f, 1.2345f}) {
    const double v = static_cast<double>(value) * 0.3f;
    const Tensor row = repeated({1, kMany}, value), column = repeated({kMany, 1}, 0.3f);
    check_first(node("MatMul", 13), {row, column}, v * n, 2e-6);
    check_first(node("Gemm", 13), {row, column, tensor<float>({1}, {5})}, v * n + 5, 2e-6);
    check_first(node("Gemm", 13, {{"transA", int64_t{1}}, {"alpha", 0.5f}}),
                {column.reshaped({kMany, 1}), repeated({kMany, 1}, value)}, v * n / 2, 2e-6);
    check_first(node("Einsum", 12, {{"equation", std::string("i,i->")}}),
                {row.reshaped({kMany}), column.reshaped({kMany})}, v * n, 2e-6);
    check_first(node("MatMul", 13), {repeated({2, kMany / 2}, value), repeated({kMany / 2, 3}, 0.3f)}, v * n / 2, 2e-6);
  }
}

TEST_CASE("Long products keep their bias, residual and activation", "[ops][matmul]") {
  const int64_t k = 20000;
  const Tensor a = repeated({3, k}, 0.5f), b = repeated({k, 2}, 0.25f);
  for (const Feed feed : {Feed::Inputs, Feed::Constants}) {
    auto results = run(node("Gemm", 13), {a, b, tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6})}, 1, feed);
    REQUIRE(results.ok());
    check_equal((*results)[0], tensor<float>({3, 2}, {2501, 2502, 2503, 2504, 2505, 2506}));
    results = run(node("MatMul", 13,
                       {{"nm_activation", std::string("relu")}, {"nm_activation_params", std::vector<float>{0, 0}}}),
                  {a, b, tensor<float>({2}, {-2600, 1})}, 1, feed);
    REQUIRE(results.ok());
    check_equal((*results)[0], tensor<float>({3, 2}, {0, 2501, 0, 2501, 0, 2501}));
  }
}

TEST_CASE("Infinities and NaN go through long sums", "[ops][reduce]") {
  for (const float odd : {INFINITY, -INFINITY, NAN}) {
    for (const int64_t count : {int64_t{100}, int64_t{100000}}) {
      Tensor x = repeated({count}, 1);
      x.data<float>()[count / 2] = odd;
      auto results = run(node("ReduceSum", 11), {x});
      REQUIRE(results.ok());
      const float sum = (*results)[0].tensor()->data<float>()[0];
      CHECK((sum == odd || (std::isnan(sum) && std::isnan(odd))));
      results = run(node("ReduceSum", 11, {{"axes", std::vector<int64_t>{0}}}), {x.reshaped({count, 1})});
      REQUIRE(results.ok());
      const float column = (*results)[0].tensor()->data<float>()[0];
      CHECK((column == odd || (std::isnan(column) && std::isnan(odd))));
    }
  }
}

}  // namespace
}  // namespace nm::test
