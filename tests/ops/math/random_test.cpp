#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("Drawn numbers follow their distribution", "[ops][random]") {
  const std::vector<int64_t> shape{100, 100};
  const auto mean = [](const Node& spec, const std::vector<Value>& inputs) {
    auto results = run(spec, inputs);
    if (!results.ok()) FAIL(results.status().message());
    double sum = 0;
    for (const float x : (*results)[0].tensor()->span<float>()) sum += x;
    return sum / static_cast<double>((*results)[0].tensor()->count());
  };
  CHECK(std::abs(mean(node("RandomNormal", 1, {{"shape", shape}, {"mean", 3.0f}}), {}) - 3) < 0.05);
  CHECK(std::abs(mean(node("RandomUniform", 1, {{"shape", shape}, {"high", 4.0f}, {"seed", 7.0f}}), {}) - 2) < 0.05);
  std::vector<float> quarter(10000, 0.25f);
  const Tensor chance = Tensor::from<float>(Shape{10000}, quarter).value();
  CHECK(std::abs(mean(node("Bernoulli", 15), {chance}) - 0.25) < 0.02);
  CHECK(std::abs(mean(node("RandomUniformLike", 1), {chance}) - 0.5) < 0.02);
  auto drawn = run(node("Multinomial", 7, {{"sample_size", int64_t{5000}}}), {tensor<float>({1, 3}, {0, -100, 0})});
  REQUIRE(drawn.ok());
  int64_t last = 0;
  for (const int32_t k : (*drawn)[0].tensor()->span<int32_t>()) {
    CHECK(k != 1);
    last += k == 2;
  }
  CHECK(std::abs(static_cast<double>(last) / 5000 - 0.5) < 0.05);
  check_fails(node("RandomNormal", 1), {}, Code::InvalidModel);
  check_fails(node("RandomNormal", 1, {{"shape", std::vector<int64_t>{-1}}}), {}, Code::InvalidData);
}
