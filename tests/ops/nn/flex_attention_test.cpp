#include "tests/ops/subgraph.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("FlexAttention hands scores and probabilities to subgraphs", "[ops][flex_attention]") {
  const auto change = [](const char* op, auto value) {
    Subgraph b;
    const DType type = dtype_of<decltype(value)>;
    const ValueId x = b.input(type);
    return b.yield({b.apply(op, {x, b.constant(tensor<decltype(value)>({}, {value}))}, type)});
  };
  const auto flex = [](AttributeMap attributes) {
    return node("FlexAttention", 1, std::move(attributes), "ai.onnx.preview");
  };
  // Two query heads share a head of keys; scores 0 and log 3 weigh 1:3.
  const Tensor q = tensor<float>({1, 2, 1, 1}, {0, 1});
  const Tensor k = tensor<float>({1, 1, 2, 1}, {0, std::log(3.f)});
  const Tensor v = tensor<float>({1, 1, 2, 1}, {4, 8});
  check(flex({}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {6, 7})});
  check(flex({{"score_mod", change("Mul", 2.f)}}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {6, 7.6f})});
  check(flex({{"scale", 2.f}}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {6, 7.6f})});
  check(flex({{"prob_mod", change("Add", 1.f)}}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {18, 19})});
  check(flex({{"prob_mod", change("Add", 1.0)}, {"softmax_precision", int64_t{11}}}), {q, k, v},
        {tensor<float>({1, 2, 1, 1}, {18, 19})});
  check(flex({{"prob_mod", change("Add", 1.0)}}),
        {tensor<double>({1, 1, 1, 1}, {1}), tensor<double>({1, 1, 2, 1}, {0, std::log(3.)}),
         tensor<double>({1, 1, 2, 1}, {4, 8})},
        {tensor<double>({1, 1, 1, 1}, {19})});
  check_fails(flex({}), {q, v, tensor<float>({1, 1, 1, 1}, {4})}, Code::ShapeMismatch);
  check_fails(flex({}), {tensor<float>({1}, {0}), k, v}, Code::ShapeMismatch);
  Subgraph of_two;
  const ValueId both =
      of_two.apply("Add", {of_two.input(DType::Float32), of_two.input(DType::Float32)}, DType::Float32);
  check_fails(flex({{"score_mod", of_two.yield({both})}}), {q, k, v}, Code::InvalidModel);
  check_fails(flex({{"score_mod", change("Less", 2.f)}}), {q, k, v}, Code::ShapeMismatch);
}
