#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("BiasGelu and FastGelu", "[ops][bias_gelu]") {
  const Tensor x = tensor<float>({1, 2}, {0, 1}), bias = tensor<float>({2}, {1, 1});
  check(node("BiasGelu", 1, {}, "com.microsoft"), {x, bias}, {tensor<float>({1, 2}, {0.8413447f, 1.9544997f})});
  check(node("FastGelu", 1, {}, "com.microsoft"), {x, bias}, {tensor<float>({1, 2}, {0.8411920f, 1.9545977f})});
  check(node("FastGelu", 1, {}, "com.microsoft"), {x}, {tensor<float>({1, 2}, {0, 0.8411920f})});
  check_fails(node("BiasGelu", 1, {}, "com.microsoft"), {x}, Code::MissingInput);
  check_fails(node("FastGelu", 1, {}, "com.microsoft"), {x, tensor<float>({3}, {1, 1, 1})}, Code::ShapeMismatch);
}

}  // namespace
}  // namespace nm::test
