#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("DynamicTimeWarping finds the cheapest way", "[ops][dynamic_time_warping]") {
  check(ms("DynamicTimeWarping"), {tensor<float>({1, 3, 3}, {0, 1, 9, 9, 0, 9, 9, 9, 0})},
        {tensor<int32_t>({2, 3}, {0, 1, 2, 0, 1, 2})});
  check(ms("DynamicTimeWarping"), {tensor<float>({1, 3}, {1, 1, 1})}, {tensor<int32_t>({2, 3}, {0, 0, 0, 0, 1, 2})});
  check_fails(ms("DynamicTimeWarping"), {tensor<float>({2, 1, 1}, {1, 1})}, Code::ShapeMismatch);
}
