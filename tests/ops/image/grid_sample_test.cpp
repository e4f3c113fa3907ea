#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("GridSample of integers cuts what it interpolates", "[ops][grid_sample]") {
  const Tensor grid = tensor<float>({1, 1, 3, 2}, {-1, -1, 0, 0, 1, 1});
  const AttributeMap corners{{"align_corners", int64_t{1}}};
  check(node("GridSample", 20, corners), {tensor<int16_t>({1, 1, 2, 2}, {-3, 2, 4, 8}), grid},
        {tensor<int16_t>({1, 1, 1, 3}, {-3, 2, 8})});
  check(node("GridSample", 20, corners), {tensor<uint8_t>({1, 1, 1, 1}, {200}), grid},
        {tensor<uint8_t>({1, 1, 1, 3}, {200, 200, 200})});
  check_fails(node("GridSample", 20), {tensor<bool>({1, 1, 1, 1}, {true}), grid}, Code::TypeMismatch);
}

TEST_CASE("GridSample", "[ops][grid_sample]") {
  const Tensor x = tensor<float>({1, 1, 1, 2}, {1, 3});
  const Tensor grid = tensor<float>({1, 1, 3, 2}, {-0.5f, 0, 0, 0, 1.5f, 0});  // the cells' centres are ±0.5
  const auto with = [](const char* mode, const char* padding, int64_t align) {
    return node("GridSample", 16,
                {{"mode", std::string(mode)}, {"padding_mode", std::string(padding)}, {"align_corners", align}});
  };
  check(with("bilinear", "zeros", 0), {x, grid}, {tensor<float>({1, 1, 1, 3}, {1, 2, 0})});
  check(with("bilinear", "border", 0), {x, grid}, {tensor<float>({1, 1, 1, 3}, {1, 2, 3})});
  check(with("bilinear", "reflection", 0), {x, grid}, {tensor<float>({1, 1, 1, 3}, {1, 2, 3})});
  check(with("bilinear", "reflection", 1), {x, grid}, {tensor<float>({1, 1, 1, 3}, {1.5f, 2, 2.5f})});
  check(with("nearest", "zeros", 0), {x, grid}, {tensor<float>({1, 1, 1, 3}, {1, 1, 0})});
  check(with("bicubic", "border", 0), {x, grid}, {tensor<float>({1, 1, 1, 3}, {1, 2, 3})});
  check(with("bilinear", "zeros", 0), {x, tensor<float>({1, 1, 1, 2}, {NAN, INFINITY})},
        {tensor<float>({1, 1, 1, 1}, {0})});
  check_fails(with("bilinear", "zeros", 0), {x, tensor<float>({1, 1, 1}, {0})}, Code::ShapeMismatch);
  check_fails(with("quadratic", "zeros", 0), {x, grid}, Code::InvalidModel);
}

}  // namespace
}  // namespace nm::test
