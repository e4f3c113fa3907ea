#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor scores() { return tensor<float>({2, 3}, {1, 2, 4, -1, 0.5f, 3}); }

Tensor weights() { return tensor<float>({3}, {0.5f, 2, 4}); }

AttributeMap reduction(const char* kind) { return {{"reduction", std::string(kind)}}; }

}  // namespace

TEST_CASE("NegativeLogLikelihoodLoss picks, weighs and reduces", "[ops][cross_entropy]") {
  const Tensor labels = tensor<int64_t>({2}, {2, 0});
  check(node("NegativeLogLikelihoodLoss", 13, reduction("none")), {scores(), labels}, {tensor<float>({2}, {-4, 1})});
  check(node("NegativeLogLikelihoodLoss", 12, reduction("sum")), {scores(), labels}, {tensor<float>({}, {-3})});
  check(node("NegativeLogLikelihoodLoss", 22), {scores(), labels}, {tensor<float>({}, {-1.5f})});
  check(node("NegativeLogLikelihoodLoss", 13), {scores(), labels, weights()},
        {tensor<float>({}, {(-16 + 0.5f) / 4.5f})});
  check(node("NegativeLogLikelihoodLoss", 13, reduction("none")), {scores(), labels, weights()},
        {tensor<float>({2}, {-16, 0.5f})});
  // Labels that are ignored need not be classes, and do not count in the mean.
  check(node("NegativeLogLikelihoodLoss", 13, {{"ignore_index", int64_t{-100}}}),
        {scores(), tensor<int32_t>({2}, {-100, 1})}, {tensor<float>({}, {-0.5f})});
  // Classes are the second of several dimensions.
  check(node("NegativeLogLikelihoodLoss", 13, reduction("none")),
        {tensor<double>({1, 2, 3}, {1, 2, 3, 4, 5, 6}), tensor<int64_t>({1, 3}, {1, 0, 1})},
        {tensor<double>({1, 3}, {-4, -2, -6})});
  check(node("NegativeLogLikelihoodLoss", 13, reduction("sum")), {tensor<float>({0, 3}, {}), tensor<int64_t>({0}, {})},
        {tensor<float>({}, {0})});
}

TEST_CASE("SoftmaxCrossEntropyLoss takes the logarithm itself", "[ops][cross_entropy]") {
  const Tensor labels = tensor<int64_t>({2}, {2, 0});
  const Tensor logs =
      tensor<float>({2, 3}, {-3.169846f, -2.169846f, -0.169846f, -4.0956743f, -2.5956743f, -0.0956743f});
  check(node("SoftmaxCrossEntropyLoss", 13, reduction("none")), {scores(), labels},
        {tensor<float>({2}, {0.169846f, 4.0956743f}), logs});
  check(node("SoftmaxCrossEntropyLoss", 12), {scores(), labels}, {tensor<float>({}, {2.1327602f})});
  check(node("SoftmaxCrossEntropyLoss", 13), {scores(), labels, weights()},
        {tensor<float>({}, {(4 * 0.169846f + 0.5f * 4.0956743f) / 4.5f})});
  // Large scores do not overflow.
  check(node("SoftmaxCrossEntropyLoss", 13, reduction("sum")),
        {tensor<float>({1, 2}, {1000, 1000}), tensor<int64_t>({1}, {0})}, {tensor<float>({}, {0.6931472f})});
}

TEST_CASE("Losses refuse what does not fit", "[ops][cross_entropy]") {
  const Tensor labels = tensor<int64_t>({2}, {2, 3});
  check_fails(node("NegativeLogLikelihoodLoss", 13), {scores(), labels}, Code::InvalidData);
  check_fails(node("NegativeLogLikelihoodLoss", 13, reduction("max")), {scores(), labels}, Code::InvalidModel);
  check_fails(node("NegativeLogLikelihoodLoss", 13), {scores(), tensor<int64_t>({3}, {0, 0, 0})}, Code::ShapeMismatch);
  check_fails(node("NegativeLogLikelihoodLoss", 13), {scores(), tensor<float>({2}, {0, 0})}, Code::TypeMismatch);
  check_fails(node("SoftmaxCrossEntropyLoss", 13), {scores(), tensor<int64_t>({2}, {0, 0}), tensor<float>({2}, {1, 1})},
              Code::ShapeMismatch);
  check_fails(node("SoftmaxCrossEntropyLoss", 13), {tensor<float>({2}, {0, 0}), tensor<int64_t>({}, {0})},
              Code::ShapeMismatch);
}
