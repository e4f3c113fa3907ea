#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("AffineGrid maps corners", "[ops][affine_grid]") {
  check(node("AffineGrid", 20, {{"align_corners", int64_t{1}}}),
        {tensor<float>({1, 2, 3}, {1, 0, 0.5f, 0, 2, 0}), tensor<int64_t>({4}, {1, 1, 2, 2})},
        {tensor<float>({1, 2, 2, 2}, {-0.5f, -2, 1.5f, -2, -0.5f, 2, 1.5f, 2})});
}
