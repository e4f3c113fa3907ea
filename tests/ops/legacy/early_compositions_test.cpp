#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("Operators from before ai.onnx was stable", "[ops][early_compositions]") {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {0, 1, 2, 3});
  check(node("Affine", 1, {{"alpha", 2.f}, {"beta", 1.f}}), {x}, {tensor<float>({1, 1, 2, 2}, {1, 3, 5, 7})});
  check(node("ScaledTanh", 1, {{"alpha", 2.f}, {"beta", 0.5f}}), {tensor<float>({1}, {2})},
        {tensor<float>({1}, {1.5231884f})});
  check(node("ParametricSoftplus", 1, {{"alpha", 2.f}}), {tensor<float>({1}, {0})}, {tensor<float>({1}, {1.3862944f})});
  check(node("ImageScaler", 1, {{"scale", 2.f}, {"bias", std::vector<float>{5}}}), {x},
        {tensor<float>({1, 1, 2, 2}, {5, 7, 9, 11})});
  check(node("Crop", 1, {{"border", std::vector<int64_t>{1, 0, 0, 1}}}), {x}, {tensor<float>({1, 1, 1, 1}, {1})});
  check(node("Crop", 1, {{"border", std::vector<int64_t>{0, 1, 0, 0}}, {"scale", std::vector<int64_t>{1, 1}}}), {x},
        {tensor<float>({1, 1, 1, 1}, {2})});
  check_fails(node("Crop", 1), {x}, Code::InvalidModel);
}
