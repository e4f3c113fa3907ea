#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("Inverse undoes square matrices", "[ops][inverse]") {
  check(ms("Inverse"), {tensor<float>({2, 2, 2}, {0, 2, 4, 0, 1, 2, 3, 4})},
        {tensor<float>({2, 2, 2}, {0, 0.25f, 0.5f, 0, -2, 1, 1.5f, -0.5f})});
  check(ms("Inverse"), {tensor<double>({1, 1}, {4})}, {tensor<double>({1, 1}, {0.25})});
  check_fails(ms("Inverse"), {tensor<float>({2, 2}, {1, 2, 2, 4})}, Code::InvalidData);
  check_fails(ms("Inverse"), {tensor<float>({1, 2}, {1, 2})}, Code::ShapeMismatch);
}

TEST_CASE("Det", "[ops][det]") {
  check(node("Det", 11), {tensor<float>({2, 2}, {0, 2, 3, 4})}, {tensor<float>({}, {-6})});
  check(node("Det", 22), {tensor<double>({2, 2, 2}, {1, 2, 2, 4, 2, 0, 0, 3})}, {tensor<double>({2}, {0, 6})});
  check(node("Det", 11), {tensor<float>({1, 0, 0}, {})}, {tensor<float>({1}, {1})});
  check_fails(node("Det", 11), {tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6})}, Code::ShapeMismatch);
}
