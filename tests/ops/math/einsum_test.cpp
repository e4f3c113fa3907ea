#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

Tensor left() { return tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}); }
Tensor right() { return tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}); }
Tensor left_right() { return tensor<float>({2, 2}, {22, 28, 49, 64}); }

TEST_CASE("Einsum", "[ops][einsum]") {
  const auto einsum = [](const char* equation) { return node("Einsum", 12, {{"equation", std::string(equation)}}); };
  const Tensor square = tensor<float>({2, 2}, {1, 2, 3, 4});
  check(einsum("ij,jk->ik"), {left(), right()}, {left_right()});
  check(einsum(" ij , jk "), {left(), right()}, {left_right()});
  check(einsum("ij->ji"), {left()}, {tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6})});
  check(einsum("ij->"), {left()}, {tensor<float>({}, {21})});
  check(einsum("ii->i"), {square}, {tensor<float>({2}, {1, 4})});
  check(einsum("ii"), {square}, {tensor<float>({}, {5})});
  check(einsum("i,j->ij"), {tensor<float>({2}, {1, 2}), tensor<float>({2}, {3, 4})},
        {tensor<float>({2, 2}, {3, 4, 6, 8})});
  check(einsum("...ij,...jk->...ik"), {square, tensor<float>({1, 2, 1}, {1, 2})}, {tensor<float>({1, 2, 1}, {5, 11})});
  check(einsum("bij,bij->b"), {tensor<float>({2, 1, 2}, {1, 2, 3, 4}), tensor<float>({2, 1, 2}, {1, 1, 2, 2})},
        {tensor<float>({2}, {3, 14})});
  check(einsum("ij,jk,k->i"), {left(), right(), tensor<float>({2}, {1, 2})}, {tensor<float>({2}, {78, 177})});
  check(einsum("i,i->"), {tensor<int64_t>({2}, {2, 3}), tensor<int64_t>({2}, {5, 7})}, {tensor<int64_t>({}, {31})});
  check(einsum("ij,j->i"), {tensor<float>({2, 0}, {}), tensor<float>({0}, {})}, {tensor<float>({2}, {0, 0})});
  check_fails(einsum("ij,kj->ik"), {left(), right()}, Code::ShapeMismatch);
  check_fails(einsum("ij->k"), {left()}, Code::InvalidModel);
  check_fails(einsum("ij->ii"), {left()}, Code::InvalidModel);
  check_fails(einsum("i?->i"), {left()}, Code::InvalidModel);
  check_fails(einsum("ijk->i"), {left()}, Code::ShapeMismatch);
  check_fails(einsum("ij"), {left(), right()}, Code::InvalidModel);
}

}  // namespace
}  // namespace nm::test
