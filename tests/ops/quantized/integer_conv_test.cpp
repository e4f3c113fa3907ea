#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;

TEST_CASE("Integer convolutions", "[ops][integer_conv]") {
  const Tensor x = tensor<uint8_t>({1, 1, 2, 2}, {2, 3, 4, 5});
  const Tensor w = tensor<int8_t>({2, 1, 1, 2}, {1, 2, -1, 1});
  check(node("ConvInteger", 10), {x, w}, {tensor<int32_t>({1, 2, 2, 1}, {8, 14, 1, 1})});
  check(node("ConvInteger", 10, {{"pads", Axes{0, 1, 0, 0}}}),
        {x, w, tensor<uint8_t>({}, {1}), tensor<int8_t>({2}, {0, 1})},
        {tensor<int32_t>({1, 2, 2, 2}, {2, 5, 6, 11, 0, -2, 0, -6})});
  const Tensor one = tensor<float>({}, {1});
  check(node("QLinearConv", 10),
        {x, one, tensor<uint8_t>({}, {0}), w, tensor<float>({2}, {0.5f, 100}), tensor<int8_t>({}, {0}),
         tensor<float>({}, {1}), tensor<int8_t>({}, {-3}), tensor<int32_t>({2}, {1, 0})},
        {tensor<int8_t>({1, 2, 2, 1}, {1, 5, 97, 97})});  // 4.5 and 7.5 round to even
  // Bounds of a fused activation; a volume, whose sums come by the definition; channels-last; depthwise.
  check(node("QLinearConv", 10, {{"nm_low", int64_t{2}}, {"nm_high", int64_t{90}}}),
        {x, one, tensor<uint8_t>({}, {0}), w, tensor<float>({2}, {0.5f, 100}), tensor<int8_t>({}, {0}),
         tensor<float>({}, {1}), tensor<int8_t>({}, {-3}), tensor<int32_t>({2}, {1, 0})},
        {tensor<int8_t>({1, 2, 2, 1}, {2, 5, 90, 90})});
  const Tensor volume = tensor<uint8_t>({1, 1, 2, 1, 2}, {2, 3, 4, 5});
  check(node("ConvInteger", 10),
        {volume, tensor<int8_t>({2, 1, 2, 1, 1}, {1, 2, -1, 1}), tensor<uint8_t>({}, {1}), tensor<int8_t>({2}, {0, 1})},
        {tensor<int32_t>({1, 2, 1, 1, 2}, {7, 10, -2, -4})});
  check(node("QLinearConv", 10),
        {volume, one, tensor<uint8_t>({}, {0}), tensor<int8_t>({2, 1, 2, 1, 1}, {1, 2, -1, 1}),
         tensor<float>({2}, {0.5f, 100}), tensor<int8_t>({}, {0}), one, tensor<uint8_t>({}, {3}),
         tensor<int32_t>({2}, {1, 0})},
        {tensor<uint8_t>({1, 2, 1, 1, 2}, {9, 10, 203, 203})});  // 5.5 and 7 half to even
  check(node("ConvInteger", 10, {{"group", int64_t{2}}, {"nm_channels_last", int64_t{1}}}),
        {tensor<uint8_t>({1, 1, 2, 2}, {1, 2, 3, 4}), tensor<int8_t>({2, 1, 1, 2}, {1, 2, 3, 4})},
        {tensor<int32_t>({1, 1, 1, 2}, {7, 22})});
  check(node("ConvInteger", 10), {tensor<uint8_t>({1, 1, 3}, {1, 2, 3}), tensor<uint8_t>({1, 1, 2}, {1, 255})},
        {tensor<int32_t>({1, 1, 2}, {511, 767})});
  check_fails(node("ConvInteger", 10), {x, w, tensor<int8_t>({}, {1})}, Code::TypeMismatch);
  check_fails(node("ConvInteger", 10), {x, tensor<int8_t>({1, 2, 1, 1}, {1, 1})}, Code::ShapeMismatch);
}

}  // namespace
}  // namespace nm::test
