#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor matrix() { return tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}); }

Tensor floats(const Shape& shape, std::initializer_list<float> values) { return tensor<float>(shape, values); }

}  // namespace

TEST_CASE("OneHot, Compress and NonZero", "[ops][one_hot][select]") {
  check(node("OneHot", 11), {tensor<int64_t>({3}, {0, -1, 5}), tensor<int64_t>({}, {2}), floats({2}, {0, 1})},
        {floats({3, 2}, {1, 0, 0, 1, 0, 0})});
  check(node("OneHot", 9, {{"axis", int64_t{0}}}),
        {tensor<float>({2}, {1, 0}), tensor<float>({1}, {3}), tensor<int32_t>({2}, {-1, 1})},
        {tensor<int32_t>({3, 2}, {-1, 1, 1, -1, -1, -1})});
  check_fails(node("OneHot", 11), {tensor<int64_t>({1}, {0}), tensor<int64_t>({}, {0}), floats({2}, {0, 1})},
              Code::InvalidData);
  const Tensor odd = tensor<bool>({3}, {true, false, true});
  check(node("Compress", 11, {{"axis", int64_t{0}}}), {matrix(), odd}, {floats({2, 2}, {1, 2, 5, 6})});
  check(node("Compress", 9), {matrix(), odd}, {floats({2}, {1, 3})});
  check_fails(node("Compress", 11, {{"axis", int64_t{1}}}), {matrix(), odd}, Code::ShapeMismatch);
  check(node("NonZero", 13), {floats({2, 2}, {1, -0, 0, 2})}, {tensor<int64_t>({2, 2}, {0, 1, 0, 1})});
  check(node("NonZero", 9), {tensor<bool>({}, {true})}, {tensor<int64_t>({0, 1}, {})});
}
