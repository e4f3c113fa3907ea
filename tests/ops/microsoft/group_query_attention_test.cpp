#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

// Two query heads of two elements share a head of keys and values.
Node attention(AttributeMap attributes = {}) {
  attributes.emplace("num_heads", int64_t{2});
  attributes.emplace("kv_num_heads", int64_t{1});
  return node("GroupQueryAttention", 1, std::move(attributes), "com.microsoft");
}

Tensor length(int32_t n) { return tensor<int32_t>({1}, {n - 1}); }
Tensor total(int32_t n) { return tensor<int32_t>({}, {n}); }

const Tensor& zeros() {
  static const Tensor t = tensor<float>({1, 1, 4}, {0, 0, 0, 0});
  return t;
}

}  // namespace

TEST_CASE("GroupQueryAttention reads a prompt causally, within a window, or both ways",
          "[ops][group_query_attention]") {
  const Tensor q = tensor<float>({1, 3, 4}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  const Tensor v = tensor<float>({1, 3, 2}, {1, 2, 3, 6, 5, 1});
  const std::vector<Value> inputs{q, v, v, {}, {}, length(3), total(3)};
  check(attention(), inputs,
        {tensor<float>({1, 3, 4}, {1, 2, 1, 2, 2, 4, 2, 4, 3, 3, 3, 3}),
         tensor<float>({1, 1, 3, 2}, {1, 2, 3, 6, 5, 1}), tensor<float>({1, 1, 3, 2}, {1, 2, 3, 6, 5, 1})});
  check(attention({{"local_window_size", int64_t{1}}}), inputs,
        {tensor<float>({1, 3, 4}, {1, 2, 1, 2, 3, 6, 3, 6, 5, 1, 5, 1})});
  check(attention({{"causal", int64_t{0}}}), inputs, {tensor<float>({1, 3, 4}, {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3})});
  // A key of value zero that weighs as much as one of score zero.
  check(attention({{"smooth_softmax", int64_t{1}}, {"local_window_size", int64_t{1}}}), inputs,
        {tensor<float>({1, 3, 4}, {0.5f, 1, 0.5f, 1, 1.5f, 3, 1.5f, 3, 2.5f, 0.5f, 2.5f, 0.5f})});
}

TEST_CASE("GroupQueryAttention appends to a past, in a buffer that may be larger", "[ops][group_query_attention]") {
  const Tensor now = tensor<float>({1, 1, 2}, {3, 6});
  const Tensor past = tensor<float>({1, 1, 1, 2}, {1, 2});
  const Tensor all = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 6}), mean = tensor<float>({1, 1, 4}, {2, 4, 2, 4});
  check(attention(), {zeros(), now, now, past, past, length(2), total(2)}, {mean, all, all});
  const Tensor buffer = tensor<float>({1, 1, 3, 2}, {1, 2, 9, 9, 9, 9});
  const Tensor filled = tensor<float>({1, 1, 3, 2}, {1, 2, 3, 6, 0, 0});
  check(attention(), {zeros(), now, now, buffer, buffer, length(2), total(2)}, {mean, filled, filled});
  check(attention(), {tensor<float>({1, 1, 8}, {0, 0, 0, 0, 3, 6, 3, 6}), {}, {}, past, past, length(2), total(2)},
        {mean});
  // Scores of the heads may lean to the new key, and a sink takes half of the weight.
  check(attention(),
        {zeros(), now, now, past, past, length(2), total(2), {}, {}, {}, tensor<float>({1, 2, 1, 2}, {-1e9f, 0, 0, 0})},
        {tensor<float>({1, 1, 4}, {3, 6, 2, 4})});
  check(attention(),
        {zeros(), now, now, past, past, length(2), total(2), {}, {}, {}, {}, tensor<float>({2}, {-1e9f, 0.6931472f})},
        {tensor<float>({1, 1, 4}, {2, 4, 1, 2})});
}

TEST_CASE("GroupQueryAttention turns and normalises queries and keys", "[ops][group_query_attention]") {
  const Tensor now = tensor<float>({1, 1, 2}, {3, 4});
  const Tensor cosines = tensor<float>({2, 1}, {1, 0}), sines = tensor<float>({2, 1}, {0, 1});
  const AttributeMap rotary{{"do_rotary", int64_t{1}}};
  const Tensor past = tensor<float>({1, 1, 1, 2}, {1, 2});
  check(attention(rotary), {zeros(), now, now, past, past, length(2), total(2), cosines, sines},
        {tensor<float>({1, 1, 4}, {2, 3, 2, 3}), tensor<float>({1, 1, 2, 2}, {1, 2, -4, 3})});
  check(attention(rotary),
        {zeros(), now, now, past, past, length(2), total(2), cosines, sines, tensor<int64_t>({1, 1}, {0})},
        {tensor<float>({1, 1, 4}, {2, 3, 2, 3}), tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4})});
  const Tensor weights = tensor<float>({2}, {1, 10});
  check(attention(), {zeros(), now, now, {}, {}, length(1), total(1), {}, {}, {}, {}, {}, {}, {}, weights, weights},
        {tensor<float>({1, 1, 4}, {3, 4, 3, 4}), tensor<float>({1, 1, 1, 2}, {0.8485281f, 11.313708f})});
  check_fails(attention(rotary),
              {zeros(), now, now, past, past, length(2), total(2), cosines, sines, tensor<int64_t>({1, 1}, {2})},
              Code::InvalidData);
  check_fails(attention(rotary), {zeros(), now, now, past, past, length(2), total(2)}, Code::MissingInput);
}

TEST_CASE("GroupQueryAttention refuses lengths that do not fit", "[ops][group_query_attention]") {
  const Tensor now = tensor<float>({1, 1, 2}, {3, 4});
  const Tensor past = tensor<float>({1, 1, 1, 2}, {1, 2});
  check_fails(attention(), {zeros(), now, now, past, past, length(3), total(2)}, Code::InvalidData);
  check_fails(attention(), {zeros(), now, now, past, past, length(3), total(3)}, Code::InvalidData);
  check_fails(attention(), {zeros(), now, now, past, past, length(0), total(1)}, Code::InvalidData);
  check_fails(attention(), {zeros(), now, now, past, past, length(1), total(0)}, Code::InvalidData);
  check_fails(attention({{"kv_num_heads", int64_t{3}}}), {zeros(), now, now, past, past, length(2), total(2)},
              Code::InvalidModel);
}
