#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Node attention(AttributeMap attributes = {}) {
  attributes.emplace("num_heads", int64_t{1});
  return node("MultiHeadAttention", 1, std::move(attributes), "com.microsoft");
}

const Shape kRow{1, 1, 2}, kTwo{1, 2, 2};

}  // namespace

// One head of two elements; queries of zero see all keys alike, so that outputs are means of values.
TEST_CASE("MultiHeadAttention takes operands apart and packed", "[ops][multi_head_attention]") {
  const Tensor q = tensor<float>(kRow, {0, 0});
  const Tensor k = tensor<float>(kTwo, {5, 1, -3, 2});
  const Tensor v = tensor<float>(kTwo, {1, 2, 3, 6});
  const Tensor mean = tensor<float>(kRow, {2, 4});
  check(attention(), {q, k, v}, {mean});
  check(attention(), {q, tensor<float>({1, 2, 1, 2, 2}, {5, 1, 1, 2, -3, 2, 3, 6})}, {mean});
  check(attention(), {tensor<float>({1, 2, 1, 3, 2}, {0, 0, 5, 1, 1, 2, 0, 0, -3, 2, 3, 6})},
        {tensor<float>(kTwo, {2, 4, 2, 4})});
  check(attention(), {q, tensor<float>({1, 1, 2, 2}, {5, 1, -3, 2}), tensor<float>({1, 1, 2, 2}, {1, 2, 3, 6})},
        {mean});
  // The bias belongs to queries, keys and values: here it takes the queries back to zero and adds to the values.
  check(attention(), {tensor<float>(kRow, {7, 8}), k, v, tensor<float>({6}, {-7, -8, 1, 1, 10, 20})},
        {tensor<float>(kRow, {12, 24})});
  check_fails(attention(), {q, k}, Code::MissingInput);
  check_fails(attention(), {q}, Code::ShapeMismatch);
  check_fails(attention({{"num_heads", int64_t{0}}}), {q, k, v}, Code::InvalidModel);
  check_fails(attention(), {q, tensor<float>({1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}), v}, Code::ShapeMismatch);
}

TEST_CASE("MultiHeadAttention hides what masks hide", "[ops][multi_head_attention]") {
  const Tensor q = tensor<float>(kTwo, {0, 0, 0, 0});
  const Tensor v = tensor<float>(kTwo, {1, 2, 3, 6});
  const Tensor first = tensor<float>(kTwo, {1, 2, 1, 2}), staircase = tensor<float>(kTwo, {1, 2, 2, 4});
  check(attention({{"unidirectional", int64_t{1}}}), {q, v, v}, {staircase});
  check(attention(), {q, v, v, {}, tensor<int32_t>({1}, {1})}, {first});
  check(attention(), {q, v, v, {}, tensor<int32_t>({1, 2}, {1, 0})}, {first});
  check(attention(), {q, v, v, {}, tensor<int32_t>({5}, {1, 0, 2, 0, 1})}, {first});
  check(attention(), {q, v, v, {}, tensor<int32_t>({1, 2, 2}, {1, 0, 1, 1})}, {staircase});
  check(attention(), {q, v, v, {}, {}, tensor<float>({1, 1, 2, 2}, {0, -1e9f, 0, 0})}, {staircase});
  check(attention({{"mask_filter_value", 0.f}}), {q, v, v, {}, tensor<int32_t>({1}, {1})},
        {tensor<float>(kTwo, {2, 4, 2, 4})});
  check_fails(attention(), {q, v, v, {}, tensor<int32_t>({3}, {1, 1, 1})}, Code::ShapeMismatch);
  check_fails(attention(), {q, v, v, {}, {}, tensor<float>({1, 1, 2, 1}, {0, 0})}, Code::ShapeMismatch);
}

TEST_CASE("MultiHeadAttention goes on from a past", "[ops][multi_head_attention]") {
  const Tensor q = tensor<float>(kRow, {0, 0});
  const Tensor now = tensor<float>(kRow, {3, 6});
  const Tensor past = tensor<float>({1, 1, 1, 2}, {1, 2});
  const Tensor all = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 6});
  check(attention(), {q, now, now, {}, {}, {}, past, past}, {tensor<float>(kRow, {2, 4}), all, all});
  check(attention(), {q, now, now, {}, {}, {}, past, past}, {tensor<float>(kRow, {2, 4})});
  check_fails(attention(), {q, now, now, {}, {}, {}, past}, Code::MissingInput);
  check_fails(attention(), {q, now, now, {}, {}, {}, past, past, tensor<int32_t>({1}, {1})}, Code::UnsupportedOperator);
}

TEST_CASE("MultiHeadAttention goes through long causal sequences in parts", "[ops][multi_head_attention]") {
  constexpr int64_t n = 300;
  auto zeros = Tensor::create(DType::Float32, Shape{1, n, 1}), values = Tensor::create(DType::Float32, Shape{1, n, 1}),
       means = Tensor::create(DType::Float32, Shape{1, n, 1});
  REQUIRE((zeros.ok() && values.ok() && means.ok()));
  for (int64_t i = 0; i < n; ++i) {
    zeros->data<float>()[i] = 0;
    values->data<float>()[i] = static_cast<float>(i);
    means->data<float>()[i] = static_cast<float>(i) / 2;
  }
  check(attention({{"unidirectional", int64_t{1}}}), {*zeros, *values, *values}, {*means});
}
