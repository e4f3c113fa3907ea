#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("RelativePositionBias is fine near by and coarse far away", "[ops][relative_position_bias]") {
  const Tensor table = tensor<float>({4, 1}, {0, 1, 2, 3});
  const Tensor three = tensor<int64_t>({}, {3});
  const AttributeMap six{{"max_distance", int64_t{6}}};
  check(ms("RelativePositionBias", six), {table, three, three},
        {tensor<float>({1, 1, 3, 3}, {0, 0, 0, 1, 0, 0, 2, 1, 0})});
  AttributeMap both = six;
  both["is_bidirectional"] = int64_t{1};
  check(ms("RelativePositionBias", both), {table, three, three},
        {tensor<float>({1, 1, 3, 3}, {0, 3, 3, 1, 0, 3, 1, 1, 0})});
  check_fails(ms("RelativePositionBias", six), {table, tensor<int64_t>({}, {-1}), three}, Code::InvalidData);
  check_fails(ms("RelativePositionBias"), {table, three, three}, Code::InvalidModel);
}
