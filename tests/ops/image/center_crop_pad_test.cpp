#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

using Integers = std::vector<int64_t>;

Tensor list(const Integers& values) {
  auto t = Tensor::from<int64_t>(Shape{static_cast<int64_t>(values.size())}, values);
  return std::move(*t);
}

Tensor matrix() { return tensor<int32_t>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}); }

}  // namespace

TEST_CASE("CenterCropPad", "[ops][center_crop_pad]") {
  check(node("CenterCropPad", 18), {matrix(), list({3, 2})}, {tensor<int32_t>({3, 2}, {2, 3, 6, 7, 0, 0})});
  check(node("CenterCropPad", 18, {{"axes", Integers{1}}}), {matrix(), list({5})},
        {tensor<int32_t>({2, 5}, {1, 2, 3, 4, 0, 5, 6, 7, 8, 0})});
  check_fails(node("CenterCropPad", 18), {matrix(), list({3})}, Code::ShapeMismatch);
}
