#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;

Tensor ones(const Shape& shape) { return repeated(shape, 1); }

TEST_CASE("Conv", "[ops][conv]") {
  const Tensor x = counting({1, 1, 3, 3});
  SECTION("plain, padded, strided, dilated") {
    check(node("Conv", 1), {x, ones({1, 1, 2, 2})}, {tensor<float>({1, 1, 2, 2}, {8, 12, 20, 24})});
    check(node("Conv", 11, {{"pads", Axes{1, 0, 0, 1}}}), {x, ones({1, 1, 2, 2}), tensor<float>({1}, {0.5f})},
          {tensor<float>({1, 1, 3, 3}, {1.5f, 3.5f, 2.5f, 8.5f, 12.5f, 7.5f, 20.5f, 24.5f, 13.5f})});
    check(node("Conv", 22, {{"strides", Axes{2, 1}}, {"auto_pad", std::string("SAME_UPPER")}}), {x, ones({1, 1, 2, 2})},
          {tensor<float>({1, 1, 2, 3}, {8, 12, 7, 13, 15, 8})});
    check(node("Conv", 11, {{"strides", Axes{2, 2}}, {"auto_pad", std::string("SAME_LOWER")}}), {x, ones({1, 1, 2, 2})},
          {tensor<float>({1, 1, 2, 2}, {0, 3, 9, 24})});
    check(node("Conv", 11, {{"dilations", Axes{2, 2}}}), {x, ones({1, 1, 2, 2})}, {tensor<float>({1, 1, 1, 1}, {16})});
  }
  SECTION("groups and depthwise") {
    check(node("Conv", 11, {{"group", int64_t{2}}}), {counting({1, 4, 1, 2}), ones({2, 2, 1, 1})},
          {tensor<float>({1, 2, 1, 2}, {2, 4, 10, 12})});
    check(node("Conv", 11, {{"group", int64_t{2}}}),
          {counting({1, 2, 1, 2}), tensor<float>({4, 1, 1, 1}, {1, 2, 3, 4})},
          {tensor<float>({1, 4, 1, 2}, {0, 1, 0, 2, 6, 9, 8, 12})});
  }
  SECTION("one and three dimensions, batches") {
    check(node("Conv", 11, {{"pads", Axes{1, 1}}}), {counting({2, 1, 3}), ones({1, 1, 3})},
          {tensor<float>({2, 1, 3}, {1, 3, 3, 7, 12, 9})});
    check(node("Conv", 11), {counting({1, 1, 2, 2, 2}), ones({1, 1, 2, 2, 2})}, {tensor<float>({1, 1, 1, 1, 1}, {28})});
    // The outermost planes see nothing but padding.
    check(node("Conv", 11, {{"pads", Axes{3, 0, 0, 3, 0, 0}}}),
          {ones({1, 2, 1, 1, 1}), ones({1, 2, 2, 1, 1}), ones({1})},
          {tensor<float>({1, 1, 6, 1, 1}, {1, 1, 3, 3, 1, 1})});
  }
  SECTION("float64") {
    check(node("Conv", 11, {{"pads", Axes{0, 0, 0, 1}}}),
          {tensor<double>({1, 1, 1, 2}, {0.1, 0.2}), tensor<double>({1, 1, 1, 2}, {1, 2}), tensor<double>({1}, {1})},
          {tensor<double>({1, 1, 1, 2}, {1.5, 1.2})}, 1e-14, 0);
  }
  SECTION("channels-last, residual and activation") {
    const AttributeMap internal = {{"nm_channels_last", int64_t{1}}, {"nm_activation", std::string("relu")}};
    check(node("Conv", 11, internal),
          {counting({1, 1, 3, 2}), tensor<float>({2, 2, 1, 1}, {1, 0, 0, -1}), Value(),
           tensor<float>({1, 1, 3, 2}, {-1, 2, 3, 4, -9, 9})},
          {tensor<float>({1, 1, 3, 2}, {0, 1, 5, 1, 0, 4})});
    AttributeMap last = internal;
    last["nm_residual_last"] = int64_t{1};
    check(node("Conv", 11, last),
          {counting({1, 1, 1, 2}), tensor<float>({2, 2, 1, 1}, {1, 0, 0, -1}), Value(), ones({1, 1, 1, 2})},
          {tensor<float>({1, 1, 1, 2}, {1, 1})});
    check(node("FusedConv", 1,
               {{"activation", std::string("LeakyRelu")}, {"activation_params", std::vector<float>{0.5f}}},
               "com.microsoft"),
          {counting({1, 1, 1, 2}), tensor<float>({1, 1, 1, 1}, {-2}), tensor<float>({1}, {1})},
          {tensor<float>({1, 1, 1, 2}, {1, -0.5f})});
  }
  SECTION("empty batch") { check(node("Conv", 11), {ones({0, 1, 3, 3}), ones({2, 1, 2, 2})}, {ones({0, 2, 2, 2})}); }
  SECTION("failures") {
    check_fails(node("Conv", 11), {ones({1, 2, 3, 3}), ones({1, 3, 2, 2})}, Code::ShapeMismatch);
    check_fails(node("Conv", 11), {ones({1, 1, 3, 3}), ones({1, 1, 4, 4})}, Code::ShapeMismatch);
    check_fails(node("Conv", 11), {ones({1, 1, 3, 3}), ones({1, 1, 2})}, Code::ShapeMismatch);
    check_fails(node("Conv", 11), {ones({1, 1, 3, 3}), ones({2, 1, 2, 2}), ones({3})}, Code::ShapeMismatch);
    check_fails(node("Conv", 11), {ones({1, 1, 3, 3}), tensor<int32_t>({1, 1, 1, 1}, {1})}, Code::TypeMismatch);
    check_fails(node("Conv", 11, {{"group", int64_t{0}}}), {ones({1, 1, 3, 3}), ones({1, 1, 2, 2})},
                Code::InvalidModel);
    check_fails(node("Conv", 11, {{"strides", Axes{0, 1}}}), {ones({1, 1, 3, 3}), ones({1, 1, 2, 2})},
                Code::InvalidModel);
    check_fails(node("Conv", 11, {{"pads", Axes{1, 1}}}), {ones({1, 1, 3, 3}), ones({1, 1, 2, 2})}, Code::InvalidModel);
    check_fails(node("Conv", 11, {{"kernel_shape", Axes{3, 3}}}), {ones({1, 1, 3, 3}), ones({1, 1, 2, 2})},
                Code::ShapeMismatch);
  }
}

TEST_CASE("ConvTranspose", "[ops][conv_transpose]") {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const Tensor w = ones({1, 1, 2, 2});
  check(node("ConvTranspose", 1), {x, w}, {tensor<float>({1, 1, 3, 3}, {1, 3, 2, 4, 10, 6, 3, 7, 4})});
  check(node("ConvTranspose", 11, {{"pads", Axes{1, 0, 0, 1}}}), {x, w, tensor<float>({1}, {1})},
        {tensor<float>({1, 1, 2, 2}, {5, 11, 4, 8})});
  check(node("ConvTranspose", 11, {{"strides", Axes{2, 2}}, {"output_padding", Axes{0, 1}}}), {x, ones({1, 1, 1, 1})},
        {tensor<float>({1, 1, 3, 4}, {1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0})});
  check(node("ConvTranspose", 11, {{"strides", Axes{2, 2}}, {"output_shape", Axes{3, 3}}}), {x, w},
        {tensor<float>({1, 1, 3, 3}, {1, 2, 2, 3, 4, 4, 3, 4, 4})});
  check(node("ConvTranspose", 11, {{"strides", Axes{2}}, {"auto_pad", std::string("SAME_UPPER")}}),
        {tensor<float>({1, 1, 2}, {1, 2}), ones({1, 1, 3})}, {tensor<float>({1, 1, 4}, {1, 1, 3, 2})});
  check(node("ConvTranspose", 11, {{"group", int64_t{2}}}),
        {tensor<float>({1, 2, 1, 1}, {1, 2}), counting({2, 2, 1, 1})}, {tensor<float>({1, 4, 1, 1}, {0, 1, 4, 6})});
  check(node("ConvTranspose", 11, {{"strides", Axes{2, 1, 1}}}),
        {tensor<float>({1, 1, 2, 1, 1}, {1, 2}), ones({1, 1, 1, 1, 1})}, {tensor<float>({1, 1, 3, 1, 1}, {1, 0, 2})});
  check(node("ConvTranspose", 11, {{"nm_channels_last", int64_t{1}}}),
        {tensor<float>({1, 1, 2, 1}, {1, 2}), counting({1, 2, 1, 1})}, {tensor<float>({1, 1, 2, 2}, {0, 1, 0, 2})});
  check_fails(node("ConvTranspose", 11), {x, ones({2, 1, 2, 2})}, Code::ShapeMismatch);
  check_fails(node("ConvTranspose", 11, {{"pads", Axes{9, 9, 9, 9}}}), {x, w}, Code::ShapeMismatch);
  check_fails(node("ConvTranspose", 11, {{"output_shape", Axes{-1, 3}}}), {x, w}, Code::InvalidModel);
}

}  // namespace
}  // namespace nm::test
