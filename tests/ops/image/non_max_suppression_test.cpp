#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("NonMaxSuppression keeps the best of boxes that overlap", "[ops][non_max_suppression]") {
  const Tensor boxes = tensor<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 10, 1, 11});
  const Tensor scores = tensor<float>({1, 1, 3}, {0.9f, 0.75f, 0.6f});
  check(node("NonMaxSuppression", 11),
        {boxes, scores, tensor<int64_t>({}, {3}), tensor<float>({}, {0.5f}), tensor<float>({}, {0})},
        {tensor<int64_t>({2, 3}, {0, 0, 0, 0, 0, 2})});
  check(node("NonMaxSuppression", 10), {boxes, scores}, {tensor<int64_t>({0, 3}, {})});
  check_fails(node("NonMaxSuppression", 11), {boxes, tensor<float>({1, 1, 2}, {1, 1})}, Code::ShapeMismatch);
}
