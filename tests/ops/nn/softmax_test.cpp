#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("Softmax and its relatives", "[ops][softmax]") {
  const Tensor x = tensor<float>({2, 3}, {0, 1, 2, 3, 3, 3});
  const float third = 1.f / 3;
  const Tensor rows = tensor<float>({2, 3}, {0.09003057f, 0.24472847f, 0.66524096f, third, third, third});
  check(node("Softmax", 13), {x}, {rows});
  check(node("Softmax", 1), {x}, {rows});
  check(node("Softmax", 13, {{"axis", int64_t{0}}}), {x},
        {tensor<float>({2, 3}, {0.04742587f, 0.11920292f, 0.26894142f, 0.95257413f, 0.88079708f, 0.73105858f})});
  // Before 13 everything from the axis on is one row.
  check(node("Softmax", 11, {{"axis", int64_t{0}}}), {tensor<float>({1, 2, 2}, {0, 0, 0, 0})},
        {tensor<float>({1, 2, 2}, {0.25f, 0.25f, 0.25f, 0.25f})});
  check(node("Softmax", 11), {tensor<float>({1, 2, 2}, {0, 0, 0, 0})},
        {tensor<float>({1, 2, 2}, {0.25f, 0.25f, 0.25f, 0.25f})});
  check(node("LogSoftmax", 13), {x},
        {tensor<float>({2, 3},
                       {-2.4076059f, -1.4076059f, -0.4076059f, std::log(third), std::log(third), std::log(third)})});
  check(node("LogSoftmax", 13, {{"axis", int64_t{0}}}), {tensor<double>({2, 1}, {0, 0})},
        {tensor<double>({2, 1}, {-M_LN2, -M_LN2})});
  check(node("Hardmax", 13), {x}, {tensor<float>({2, 3}, {0, 0, 1, 1, 0, 0})});
  check(node("Hardmax", 13, {{"axis", int64_t{0}}}), {x}, {tensor<float>({2, 3}, {0, 0, 0, 1, 1, 1})});
  check(node("Softmax", 13), {tensor<float>({2}, {1000, 1000})}, {tensor<float>({2}, {0.5f, 0.5f})});
  check(node("Softmax", 13), {tensor<float>({2, 0}, {})}, {tensor<float>({2, 0}, {})});
  check_fails(node("Softmax", 13, {{"axis", int64_t{2}}}), {x}, Code::ShapeMismatch);
  check_fails(node("Softmax", 13), {tensor<int32_t>({1}, {1})}, Code::TypeMismatch);
}

}  // namespace
}  // namespace nm::test
