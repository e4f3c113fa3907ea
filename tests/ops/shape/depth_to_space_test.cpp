#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor matrix() { return tensor<float>({2, 3}, {3, 1, 3, -2, 5, 0}); }

}  // namespace

TEST_CASE("Blocks and sequences change places", "[ops][depth_to_space][reverse_sequence]") {
  const Tensor depth = tensor<float>({1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7});
  check(node("DepthToSpace", 13, {{"blocksize", int64_t{2}}}), {depth},
        {tensor<float>({1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7})});
  check(node("DepthToSpace", 11, {{"blocksize", int64_t{2}}, {"mode", "CRD"}}), {depth},
        {tensor<float>({1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7})});
  check(node("SpaceToDepth", 13, {{"blocksize", int64_t{2}}}), {tensor<float>({1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7})},
        {depth});
  check(node("SpaceToDepth", 28, {{"blocksize", int64_t{2}}, {"mode", "CRD"}}),
        {tensor<float>({1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7})}, {depth});
  check_fails(node("DepthToSpace", 13, {{"blocksize", int64_t{3}}}), {depth}, Code::ShapeMismatch);
  check_fails(node("DepthToSpace", 13), {depth}, Code::InvalidModel);
  check(node("ReverseSequence", 10), {matrix(), tensor<int64_t>({3}, {2, 1, 0})},
        {tensor<float>({2, 3}, {-2, 1, 3, 3, 5, 0})});
  check(node("ReverseSequence", 10, {{"time_axis", int64_t{1}}, {"batch_axis", int64_t{0}}}),
        {matrix(), tensor<int64_t>({2}, {3, 2})}, {tensor<float>({2, 3}, {3, 1, 3, 5, -2, 0})});
  check_fails(node("ReverseSequence", 10), {matrix(), tensor<int64_t>({3}, {2, 3, 0})}, Code::InvalidData);
}
