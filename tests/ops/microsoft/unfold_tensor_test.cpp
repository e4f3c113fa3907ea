#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("UnfoldTensor shows slices", "[ops][unfold_tensor]") {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  check(ms("UnfoldTensor", {{"size", int64_t{2}}}), {x}, {tensor<float>({2, 2, 2}, {1, 2, 2, 3, 4, 5, 5, 6})});
  check(ms("UnfoldTensor", {{"size", int64_t{2}}, {"dim", int64_t{0}}}), {x},
        {tensor<float>({1, 3, 2}, {1, 4, 2, 5, 3, 6})});
  check_fails(ms("UnfoldTensor", {{"size", int64_t{4}}}), {x}, Code::ShapeMismatch);
  check_fails(ms("UnfoldTensor"), {x}, Code::InvalidModel);
}
