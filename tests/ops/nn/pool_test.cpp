#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;

AttributeMap with(AttributeMap more, Axes kernel = {2, 2}) {
  more["kernel_shape"] = std::move(kernel);
  return more;
}

TEST_CASE("MaxPool", "[ops][pool]") {
  const Tensor x = counting({1, 1, 3, 3});
  check(node("MaxPool", 1, with({})), {x}, {tensor<float>({1, 1, 2, 2}, {4, 5, 7, 8})});
  check(node("MaxPool", 12, with({{"strides", Axes{2, 2}}})), {x}, {tensor<float>({1, 1, 1, 1}, {4})});
  check(node("MaxPool", 12, with({{"strides", Axes{2, 2}}, {"ceil_mode", int64_t{1}}})), {x},
        {tensor<float>({1, 1, 2, 2}, {4, 5, 7, 8})});
  check(node("MaxPool", 12, with({{"dilations", Axes{2, 2}}, {"pads", Axes{1, 1, 0, 0}}})), {x},
        {tensor<float>({1, 1, 2, 2}, {4, 5, 7, 8})});
  check(node("MaxPool", 12, with({{"auto_pad", std::string("SAME_LOWER")}})), {x},
        {tensor<float>({1, 1, 3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8})});
  // A last window that would lie in the padding alone does not count.
  check(node("MaxPool", 22, with({{"strides", Axes{2}}, {"pads", Axes{0, 1}}, {"ceil_mode", int64_t{1}}}, {1})),
        {counting({1, 1, 2})}, {tensor<float>({1, 1, 1}, {0})});
  check(node("MaxPool", 12, with({})), {x},
        {tensor<float>({1, 1, 2, 2}, {4, 5, 7, 8}), tensor<int64_t>({1, 1, 2, 2}, {4, 5, 7, 8})});
  check(node("MaxPool", 12, with({{"storage_order", int64_t{1}}})), {x},
        {tensor<float>({1, 1, 2, 2}, {4, 5, 7, 8}), tensor<int64_t>({1, 1, 2, 2}, {4, 7, 5, 8})});
  check(node("MaxPool", 12, with({})), {tensor<int8_t>({1, 1, 2, 2}, {-3, -2, -5, -128})},
        {tensor<int8_t>({1, 1, 1, 1}, {-2})});
  check(node("MaxPool", 12, with({})), {tensor<uint8_t>({1, 1, 2, 2}, {3, 200, 5, 0})},
        {tensor<uint8_t>({1, 1, 1, 1}, {200})});
  check(node("MaxPool", 12, with({}, {2})), {tensor<double>({1, 1, 3}, {NAN, 2, 1})},
        {tensor<double>({1, 1, 2}, {NAN, 2})});
  check(node("MaxPool", 12, with({}, {2, 2, 2})), {counting({1, 1, 2, 2, 3})},
        {tensor<float>({1, 1, 1, 1, 2}, {10, 11})});
  check(node("MaxPool", 12, with({{"nm_channels_last", int64_t{1}}})), {counting({1, 2, 2, 2})},
        {tensor<float>({1, 1, 1, 2}, {6, 7})});
  check_fails(node("MaxPool", 12), {x}, Code::InvalidModel);
  check_fails(node("MaxPool", 12, with({}, {4, 4})), {x}, Code::ShapeMismatch);
  check_fails(node("MaxPool", 12, with({}, {2})), {x}, Code::InvalidModel);
  check_fails(node("MaxPool", 12, with({{"auto_pad", std::string("SAME")}})), {x}, Code::InvalidModel);
  check_fails(node("MaxPool", 12, with({})), {counting({3, 3})}, Code::ShapeMismatch);
}

TEST_CASE("AveragePool and LpPool", "[ops][pool]") {
  const Tensor x = counting({1, 1, 3, 3});
  const AttributeMap padded = with({{"pads", Axes{1, 1, 0, 0}}, {"strides", Axes{2, 2}}});
  AttributeMap counted = padded;
  counted["count_include_pad"] = int64_t{1};
  check(node("AveragePool", 1, with({})), {x}, {tensor<float>({1, 1, 2, 2}, {2, 3, 5, 6})});
  check(node("AveragePool", 11, padded), {x}, {tensor<float>({1, 1, 2, 2}, {0, 1.5f, 4.5f, 6})});
  check(node("AveragePool", 19, counted), {x}, {tensor<float>({1, 1, 2, 2}, {0, 0.75f, 2.25f, 6})});
  check(node("AveragePool", 19,
             with({{"ceil_mode", int64_t{1}}, {"strides", Axes{2}}, {"count_include_pad", int64_t{1}}}, {2})),
        {counting({1, 1, 3})}, {tensor<float>({1, 1, 2}, {0.5f, 2})});
  check(node("AveragePool", 19, with({{"dilations", Axes{2, 2}}})), {x}, {tensor<float>({1, 1, 1, 1}, {4})});
  check(node("AveragePool", 22, with({}, {2})), {tensor<double>({1, 1, 2}, {0.1, 0.2})},
        {tensor<double>({1, 1, 1}, {0.15})}, 1e-14);
  check(node("AveragePool", 19, with({}, {1, 2, 2})), {counting({1, 1, 1, 2, 2})},
        {tensor<float>({1, 1, 1, 1, 1}, {1.5f})});
  check(node("LpPool", 2, with({})), {tensor<float>({1, 1, 2, 2}, {1, -2, 4, 2})}, {tensor<float>({1, 1, 1, 1}, {5})});
  check(node("LpPool", 1, with({{"p", 1.f}})), {tensor<float>({1, 1, 2, 2}, {1, -2, 4, 2})},
        {tensor<float>({1, 1, 1, 1}, {9})});
  check(node("LpPool", 18, with({{"p", int64_t{1}}, {"pads", Axes{1, 0}}}, {2})), {tensor<float>({1, 1, 2}, {-1, 2})},
        {tensor<float>({1, 1, 2}, {1, 3})});
}

TEST_CASE("Global pools", "[ops][global_pool]") {
  const Tensor x = tensor<float>({1, 2, 2, 2}, {1, 2, 3, 6, -4, -3, 0, 0});
  check(node("GlobalAveragePool", 1), {x}, {tensor<float>({1, 2, 1, 1}, {3, -1.75f})});
  check(node("GlobalMaxPool", 1), {x}, {tensor<float>({1, 2, 1, 1}, {6, 0})});
  check(node("GlobalLpPool", 2), {x}, {tensor<float>({1, 2, 1, 1}, {std::sqrt(50.f), 5})});
  check(node("GlobalLpPool", 1, {{"p", 1.f}}), {x}, {tensor<float>({1, 2, 1, 1}, {12, 7})});
  const AttributeMap last = {{"nm_channels_last", int64_t{1}}};
  check(node("GlobalAveragePool", 1, last), {x}, {tensor<float>({1, 1, 1, 2}, {0, 1.25f})});
  check(node("GlobalMaxPool", 1, last), {x}, {tensor<float>({1, 1, 1, 2}, {3, 6})});
  check(node("GlobalLpPool", 2, last), {x}, {tensor<float>({1, 1, 1, 2}, {std::sqrt(26.f), 7})});
  check(node("GlobalMaxPool", 1), {tensor<double>({1, 1, 3}, {-1, -0.5, -2})}, {tensor<double>({1, 1, 1}, {-0.5})});
  check_fails(node("GlobalMaxPool", 1), {counting({2, 2})}, Code::ShapeMismatch);
}

TEST_CASE("With ceil_mode a window may be larger than the image", "[ops][pool]") {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const AttributeMap threes{{"kernel_shape", Axes{3, 3}}, {"strides", Axes{2, 2}}, {"ceil_mode", int64_t{1}}};
  check(node("MaxPool", 12, threes), {x}, {tensor<float>({1, 1, 1, 1}, {4})});
  check(node("AveragePool", 19, threes), {x}, {tensor<float>({1, 1, 1, 1}, {2.5f})});
  check(node("LpPool", 18, threes), {x}, {tensor<float>({1, 1, 1, 1}, {std::sqrt(30.f)})});
  AttributeMap slow = threes;
  slow["strides"] = Axes{1, 1};  // not even the last window begins in the image's reach
  check_fails(node("MaxPool", 12, slow), {x}, Code::ShapeMismatch);
  AttributeMap floor = threes;
  floor["ceil_mode"] = int64_t{0};
  check_fails(node("MaxPool", 12, floor), {x}, Code::ShapeMismatch);
}

TEST_CASE("MaxUnpool", "[ops][max_unpool]") {
  const Tensor x = tensor<float>({1, 1, 1, 2}, {5, 7});
  const Tensor at = tensor<int64_t>({1, 1, 1, 2}, {1, 6});
  const AttributeMap twos = with({{"strides", Axes{2, 2}}});
  check(node("MaxUnpool", 9, twos), {x, at}, {tensor<float>({1, 1, 2, 4}, {0, 5, 0, 0, 0, 0, 7, 0})});
  check(node("MaxUnpool", 11, twos), {x, at, tensor<int64_t>({4}, {1, 1, 2, 5})},
        {tensor<float>({1, 1, 2, 5}, {0, 5, 0, 0, 0, 0, 7, 0, 0, 0})});
  check_fails(node("MaxUnpool", 9, twos), {x, tensor<int64_t>({1, 1, 1, 2}, {0, 8})}, Code::InvalidData);
  check_fails(node("MaxUnpool", 9, twos), {x, tensor<int64_t>({1, 1, 1, 1}, {0})}, Code::ShapeMismatch);
  check_fails(node("MaxUnpool", 11, twos), {x, at, tensor<float>({4}, {1, 1, 2, 5})}, Code::TypeMismatch);
}

}  // namespace
}  // namespace nm::test
