#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("QLinearAdd and QLinearMul", "[ops][qlinear_binary]") {
  const auto scale = [](float s) { return tensor<float>({}, {s}); };
  const auto zero = [](uint8_t z) { return tensor<uint8_t>({}, {z}); };
  const Tensor a = tensor<uint8_t>({3}, {10, 20, 255}), b = tensor<uint8_t>({1}, {30});
  check(node("QLinearAdd", 1, {}, "com.microsoft"),
        {a, scale(0.5f), zero(10), b, scale(1), zero(20), scale(0.5f), zero(1)}, {tensor<uint8_t>({3}, {21, 31, 255})});
  check(node("QLinearMul", 1, {}, "com.microsoft"),
        {a, scale(0.5f), Value(), b, scale(1), zero(40), scale(1), zero(100)}, {tensor<uint8_t>({3}, {50, 0, 0})});
  check_fails(node("QLinearAdd", 1, {}, "com.microsoft"),
              {a, tensor<float>({2}, {1, 1}), zero(0), b, scale(1), zero(0), scale(1), zero(0)}, Code::ShapeMismatch);
}

}  // namespace
}  // namespace nm::test
