#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("Col2Im", "[ops][col2im]") {
  const Tensor image = tensor<int64_t>({2}, {2, 3}), block = tensor<int64_t>({2}, {1, 2});
  check(node("Col2Im", 18), {counting({1, 2, 4}), image, block}, {tensor<float>({1, 1, 2, 3}, {0, 5, 5, 2, 9, 7})});
  check(node("Col2Im", 18), {tensor<int8_t>({1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}), image, block},
        {tensor<int8_t>({1, 1, 2, 3}, {0, 5, 5, 2, 9, 7})});
  check(node("Col2Im", 18), {tensor<uint8_t>({1, 2, 4}, {0, 200, 2, 3, 100, 5, 6, 7}), image, block},
        {tensor<uint8_t>({1, 1, 2, 3}, {0, 44, 5, 2, 9, 7})});
  check_fails(node("Col2Im", 18), {counting({1, 2, 3}), image, block}, Code::ShapeMismatch);
  check_fails(node("Col2Im", 18), {counting({1, 2, 4}), tensor<float>({2}, {2, 3}), block}, Code::TypeMismatch);
  check_fails(node("Col2Im", 18), {counting({1, 2, 4}), image, tensor<uint8_t>({2}, {1, 2})}, Code::TypeMismatch);
  check_fails(node("Col2Im", 18), {counting({1, 2, 4}), image, tensor<int64_t>({2}, {0, 2})}, Code::InvalidData);
}

}  // namespace
}  // namespace nm::test
