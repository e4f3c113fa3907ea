#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("CropAndResize samples boxes corner on corner", "[ops][crop_and_resize]") {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const Tensor boxes = tensor<float>({2, 4}, {0, 0, 1, 1, 0, 0, 2, 2});
  const Tensor images = tensor<int32_t>({2}, {0, 0}), size = tensor<int32_t>({2}, {1, 3});
  check(ms("CropAndResize", {{"extrapolation_value", 9.f}}), {x, boxes, images, size},
        {tensor<float>({2, 1, 1, 3}, {2, 2.5f, 3, 3, 4, 9})});
  check(ms("CropAndResize", {{"mode", std::string("nearest")}}),
        {x, tensor<float>({1, 4}, {0, 0, 0.2f, 1}), tensor<int32_t>({1}, {0}), tensor<int32_t>({2}, {1, 2})},
        {tensor<float>({1, 1, 1, 2}, {1, 2})});
  check_fails(ms("CropAndResize"), {x, boxes, tensor<int32_t>({2}, {0, 1}), size}, Code::InvalidData);
  check_fails(ms("CropAndResize"), {x, boxes, images, tensor<int32_t>({2}, {0, 1})}, Code::InvalidData);
  check_fails(ms("CropAndResize", {{"mode", std::string("cubic")}}), {x, boxes, images, size}, Code::InvalidModel);
}
