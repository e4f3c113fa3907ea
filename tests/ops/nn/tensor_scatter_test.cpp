#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("TensorScatter writes updates into a cache", "[ops][tensor_scatter]") {
  const Tensor cache = tensor<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const Tensor update = tensor<float>({2, 2, 1}, {7, 8, 9, 10});
  check(node("TensorScatter", 24), {cache, update, tensor<int64_t>({2}, {1, 0})},
        {tensor<float>({2, 3, 1}, {1, 7, 8, 9, 10, 6})});
  check(node("TensorScatter", 24, {{"mode", "circular"}}), {cache, update, tensor<int64_t>({2}, {2, 0})},
        {tensor<float>({2, 3, 1}, {8, 2, 7, 9, 10, 6})});
  check_fails(node("TensorScatter", 24), {cache, update, tensor<int64_t>({2}, {2, 0})}, Code::InvalidData);
}
