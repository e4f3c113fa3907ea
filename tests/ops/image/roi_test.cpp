#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

const Tensor image() { return tensor<float>({1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}); }

TEST_CASE("RoiAlign", "[ops][roi_align]") {
  const Tensor rois = tensor<float>({1, 4}, {0, 0, 4, 2}), batch = tensor<int64_t>({1}, {0});
  const AttributeMap size = {
      {"output_height", int64_t{1}}, {"output_width", int64_t{2}}, {"sampling_ratio", int64_t{2}}};
  check(node("RoiAlign", 16, size), {image(), rois, batch}, {tensor<float>({1, 1, 1, 2}, {3.5f, 5.5f})});
  check(node("RoiAlign", 10, size), {image(), rois, batch}, {tensor<float>({1, 1, 1, 2}, {5, 6.75f})});
  AttributeMap max = size;
  max["mode"] = std::string("max");
  check(node("RoiAlign", 16, max), {image(), rois, batch}, {tensor<float>({1, 1, 1, 2}, {6, 8})});
  check_fails(node("RoiAlign", 16, size), {image(), rois, tensor<int64_t>({1}, {1})}, Code::InvalidData);
  check_fails(node("RoiAlign", 16, size), {image(), rois, tensor<int64_t>({2}, {0, 0})}, Code::ShapeMismatch);
  check_fails(node("RoiAlign", 16, {{"output_width", int64_t{0}}}), {image(), rois, batch}, Code::InvalidModel);
}

TEST_CASE("MaxRoiPool", "[ops][max_roi_pool]") {
  const Node spec = node("MaxRoiPool", 1, {{"pooled_shape", std::vector<int64_t>{1, 2}}});
  check(spec, {image(), tensor<float>({2, 5}, {0, 0, 0, 3, 0, 0, 1, 0, 1, 1})},
        {tensor<float>({2, 1, 1, 2}, {2, 4, 6, 6})});
  check(spec, {image(), tensor<float>({1, 5}, {0, 8, 8, 9, 9})}, {tensor<float>({1, 1, 1, 2}, {0, 0})});
  check_fails(spec, {image(), tensor<float>({1, 5}, {NAN, 0, 0, 1, 1})}, Code::InvalidData);
  check_fails(spec, {image(), tensor<float>({1, 4}, {0, 0, 1, 1})}, Code::ShapeMismatch);
}

TEST_CASE("DeformConv", "[ops][deform_conv]") {
  const Node spec = node("DeformConv", 19);
  const Tensor w = tensor<float>({1, 1, 1, 2}, {1, 10});
  const auto offsets = [](float y, float x) {  // of both taps at the three output columns of two rows
    auto t = Tensor::create(DType::Float32, {1, 4, 2, 3});
    for (int64_t i = 0; i < t->count(); ++i) t->data<float>()[i] = i / 6 % 2 == 0 ? y : x;
    return std::move(*t);
  };
  check(spec, {image(), w, offsets(0, 0)}, {tensor<float>({1, 1, 2, 3}, {21, 32, 43, 65, 76, 87})});
  check(spec, {image(), w, offsets(0, 0.5f), tensor<float>({1}, {1})},
        {tensor<float>({1, 1, 2, 3}, {27.5f, 38.5f, 24.5f, 71.5f, 82.5f, 48.5f})});
  check(spec, {image(), w, offsets(-1, 0), Value(), tensor<float>({1, 2, 2, 3}, {1, 1, 1, 1, 1, 1, 2, 2, 2, 0, 0, 0})},
        {tensor<float>({1, 1, 2, 3}, {0, 0, 0, 1, 2, 3})});
  check_fails(spec, {image(), w, tensor<float>({1, 4, 1, 1}, {0, 0, 0, 0})}, Code::ShapeMismatch);
}

}  // namespace
}  // namespace nm::test
