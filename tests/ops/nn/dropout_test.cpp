#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("Dropout passes everything on outside of training", "[ops][dropout]") {
  const Tensor x = tensor<float>({2}, {1, 2});
  check(node("Dropout", 13), {x}, {x, tensor<bool>({2}, {true, true})});
  check(node("Dropout", 7), {x}, {x, tensor<float>({2}, {1, 1})});
  check(node("Dropout", 13), {x, tensor<float>({}, {0.5f}), tensor<bool>({}, {false})}, {x});
}

TEST_CASE("Dropout in training keeps a share and scales it", "[ops][dropout]") {
  constexpr int64_t kCount = 4000;
  auto ones = Tensor::create(DType::Float32, Shape{kCount});
  REQUIRE(ones.ok());
  std::fill_n(ones->data<float>(), kCount, 1.0f);
  const Tensor on = tensor<bool>({}, {true});
  const auto share = [&](const Node& spec, const std::vector<Value>& inputs, float scale) {
    auto results = run(spec, inputs, 2);
    if (!results.ok()) FAIL(results.status().message());
    int64_t kept = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      const float y = (*results)[0].tensor()->data<float>()[i];
      const Tensor& mask = *(*results)[1].tensor();
      const bool said = mask.dtype() == DType::Bool ? mask.data<bool>()[i] : mask.data<float>()[i] == 1;
      if (y != (said ? scale : 0)) CHECK(false);
      kept += said;
    }
    return static_cast<double>(kept) / kCount;
  };
  CHECK(std::abs(share(node("Dropout", 13), {*ones, Value(), on}, 2) - 0.5) < 0.05);
  CHECK(std::abs(share(node("Dropout", 22), {*ones, tensor<double>({}, {0.75}), on}, 4) - 0.25) < 0.05);
  CHECK(std::abs(share(node("Dropout", 6, {{"ratio", 0.5f}}), {*ones}, 2) - 0.5) < 0.05);
  CHECK(share(node("Dropout", 6, {{"is_test", int64_t{1}}}), {*ones}, 1) == 1);
  CHECK(share(node("Dropout", 13), {*ones, tensor<float>({}, {0}), on}, 1) == 1);
  check_fails(node("Dropout", 13), {*ones, tensor<float>({}, {1}), on}, Code::InvalidData);
  check_fails(node("Dropout", 13), {*ones, Value(), tensor<float>({}, {1})}, Code::TypeMismatch);
}
