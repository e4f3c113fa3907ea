// LinearAttention and what models with it use beside it: CausalConvWithState and SwiGLU.
#include <cmath>

#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Node linear(std::string rule, int64_t q_heads = 1, int64_t kv_heads = 1) {
  return node("LinearAttention", 27,
              {{"update_rule", std::move(rule)}, {"q_num_heads", q_heads}, {"kv_num_heads", kv_heads}});
}

// One head of size 1, two steps.
Tensor steps(float a, float b) { return tensor<float>({1, 2, 1}, {a, b}); }
Tensor state(float s) { return tensor<float>({1, 1, 1, 1}, {s}); }

const float kHalf = std::log(0.5f);

}  // namespace

TEST_CASE("LinearAttention by every rule", "[ops][linear_attention]") {
  const Tensor q = steps(1, 2);
  const Tensor k = steps(1, 3);
  const Tensor v = steps(2, 4);
  const Tensor decay = steps(kHalf, kHalf);
  const Tensor beta = steps(0.5f, 0.5f);
  check(linear("linear"), {q, k, v}, {steps(2, 28), state(14)});
  check(linear("linear"), {q, k, v, state(1)}, {steps(3, 30), state(15)});
  check(linear("gated"), {q, k, v, Value(), decay}, {steps(2, 26), state(13)});
  check(linear("delta"), {q, k, v, Value(), Value(), beta}, {steps(1, 5), state(2.5f)});
  check(linear("gated_delta"), {q, k, v, Value(), decay, beta}, {steps(1, 8.5f), state(4.25f)});
  check(node("LinearAttention", 27,
             {{"update_rule", "linear"}, {"q_num_heads", int64_t{2}}, {"kv_num_heads", int64_t{1}}, {"scale", 2.0f}}),
        {tensor<float>({1, 1, 2}, {1, 3}), tensor<float>({1, 1, 1}, {2}), tensor<float>({1, 1, 1}, {5})},
        {tensor<float>({1, 1, 2}, {20, 60}), state(10)});
  // The decay of a head, and of each of its keys.
  const Tensor pair = tensor<float>({1, 1, 2}, {1, 1});
  const Tensor two = tensor<float>({1, 1, 1}, {2});
  const Tensor past = tensor<float>({1, 1, 2, 1}, {4, 8});
  const float scale = 1 / std::sqrt(2.0f);
  check(linear("gated"), {pair, pair, two, past, tensor<float>({1, 1, 1}, {kHalf})},
        {tensor<float>({1, 1, 1}, {10 * scale}), tensor<float>({1, 1, 2, 1}, {4, 6})});
  check(linear("gated"), {pair, pair, two, past, tensor<float>({1, 1, 2}, {kHalf, 0})},
        {tensor<float>({1, 1, 1}, {14 * scale}), tensor<float>({1, 1, 2, 1}, {4, 10})});
  // Nothing to read leaves the state as it was.
  const Tensor none = tensor<float>({1, 0, 1}, {});
  check(linear("linear"), {none, none, none, state(3)}, {none, state(3)});
}

TEST_CASE("LinearAttention refuses what does not fit", "[ops][linear_attention]") {
  const Tensor x = steps(1, 2);
  check_fails(linear("square"), {x, x, x}, Code::InvalidModel);
  check_fails(linear("linear", 3, 2), {x, x, x}, Code::InvalidModel);
  check_fails(linear("linear", 2, 2), {x, x, x}, Code::ShapeMismatch);
  check_fails(linear("gated"), {x, x, x}, Code::MissingInput);
  check_fails(linear("delta"), {x, x, x}, Code::MissingInput);
  check_fails(linear("linear"), {x, x, x, Value(), x}, Code::InvalidModel);
  check_fails(linear("linear"), {x, x, tensor<float>({1, 1, 1}, {1})}, Code::ShapeMismatch);
  check_fails(linear("linear"), {x, x, x, tensor<float>({1}, {1})}, Code::ShapeMismatch);
  check_fails(linear("gated"), {x, x, x, Value(), tensor<float>({1, 2, 3}, {1, 1, 1, 1, 1, 1})}, Code::ShapeMismatch);
}

TEST_CASE("CausalConvWithState looks back, and carries on", "[ops][causal_conv]") {
  const Tensor filter = tensor<float>({1, 1, 2}, {10, 1});
  const Tensor x = tensor<float>({1, 1, 3}, {1, 2, 3});
  const Tensor last = tensor<float>({1, 1, 1}, {3});
  check(node("CausalConvWithState", 27), {x, filter}, {tensor<float>({1, 1, 3}, {1, 12, 23}), last});
  check(node("CausalConvWithState", 27), {x, filter, tensor<float>({1}, {100}), tensor<float>({1, 1, 1}, {5})},
        {tensor<float>({1, 1, 3}, {151, 112, 123}), last});
  // Each channel has its own filter; a short input leaves some of the state before it.
  check(node("CausalConvWithState", 27),
        {tensor<float>({1, 2, 1}, {4, 5}), tensor<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6}), Value(),
         tensor<float>({1, 2, 2}, {1, 2, 3, 4})},
        {tensor<float>({1, 2, 1}, {17, 62}), tensor<float>({1, 2, 2}, {2, 4, 4, 5})});
  for (const char* name : {"silu", "swish"}) {
    check(node("CausalConvWithState", 27, {{"activation", name}}),
          {tensor<float>({1, 1, 2}, {0, 1}), tensor<float>({1, 1, 1}, {1})},
          {tensor<float>({1, 1, 2}, {0, 0.7310586f}), tensor<float>({1, 1, 0}, {})});
  }
  check_fails(node("CausalConvWithState", 27, {{"activation", "relu"}}), {x, filter}, Code::InvalidModel);
  check_fails(node("CausalConvWithState", 27), {x, tensor<float>({2, 1, 1}, {1, 1})}, Code::ShapeMismatch);
  check_fails(node("CausalConvWithState", 27), {x, tensor<float>({1, 1, 0}, {})}, Code::ShapeMismatch);
  check_fails(node("CausalConvWithState", 27), {x, filter, Value(), x}, Code::ShapeMismatch);
  check_fails(node("CausalConvWithState", 27), {x, filter, tensor<float>({2}, {1, 1})}, Code::ShapeMismatch);
}

TEST_CASE("SwiGLU gates", "[ops][swiglu]") {
  check(node("SwiGLU", 28), {tensor<float>({2}, {1, -1}), tensor<float>({2}, {10, 2})},
        {tensor<float>({2}, {7.310586f, -0.5378828f})});
  check(node("SwiGLU", 28, {{"alpha", 2.0f}}), {tensor<double>({1}, {1}), tensor<double>({1}, {1})},
        {tensor<double>({1}, {0.88079708})});
  check_fails(node("SwiGLU", 28), {tensor<float>({1}, {1}), tensor<float>({2}, {1, 1})}, Code::ShapeMismatch);
}
