#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("Steps of training", "[ops][optimizer]") {
  const std::string domain = "ai.onnx.preview.training";
  const Tensor rate = tensor<float>({}, {0.1f});
  const Tensor first = tensor<int64_t>({}, {0});
  const Tensor second = tensor<int64_t>({}, {1});
  const Tensor x = tensor<float>({2}, {1, 2});
  const Tensor g = tensor<float>({2}, {-1, -3});
  const Tensor h = tensor<float>({2}, {4, 1});
  const AttributeMap momentum{
      {"alpha", 0.5f}, {"beta", 0.25f}, {"norm_coefficient", 0.0f}, {"mode", std::string("standard")}};
  check(node("Momentum", 1, momentum, domain), {rate, first, x, g, h},
        {tensor<float>({2}, {0.9f, 2.25f}), tensor<float>({2}, {1, -2.5f})});
  check(node("Momentum", 1, momentum, domain), {rate, second, x, g, h},
        {tensor<float>({2}, {0.825f, 2.025f}), tensor<float>({2}, {1.75f, -0.25f})});
  auto nesterov = momentum;
  nesterov["mode"] = "nesterov";
  check(node("Momentum", 1, nesterov, domain), {rate, first, x, g, h},
        {tensor<float>({2}, {1.05f, 2.425f}), tensor<float>({2}, {1, -2.5f})});
  check(node("Adagrad", 1, {{"epsilon", 0.0f}, {"decay_factor", 1.0f}}, domain), {rate, second, x, g, h},
        {tensor<float>({2}, {1 + 0.05f / 2.236068f, 2 + 0.15f / 3.1622777f}), tensor<float>({2}, {5, 10})});
  // Two tensors at a time; the groups follow one another.
  check(node("Adam", 1, {{"alpha", 0.5f}, {"beta", 0.5f}, {"epsilon", 0.0f}}, domain),
        {rate, first, x, x, g, g, h, h, h, h},
        {tensor<float>({2}, {1 - 0.1f * 1.5f / 1.5811388f, 2 + 0.1f / 2.236068f}),
         tensor<float>({2}, {1 - 0.1f * 1.5f / 1.5811388f, 2 + 0.1f / 2.236068f}), tensor<float>({2}, {1.5f, -1}),
         tensor<float>({2}, {1.5f, -1}), tensor<float>({2}, {2.5f, 5}), tensor<float>({2}, {2.5f, 5})});
  check_fails(node("Adam", 1, {}, domain), {rate, first, x, g, h}, Code::MissingInput);
  check_fails(node("Momentum", 1, {}, domain), {rate, first, x, g, h}, Code::InvalidModel);
  check_fails(node("Adagrad", 1, {}, domain), {rate, first, x, g, tensor<float>({1}, {1})}, Code::ShapeMismatch);
  check_fails(node("Adagrad", 1, {}, domain), {rate, first, x, g, tensor<double>({2}, {1, 1})}, Code::TypeMismatch);
}
