#include <random>

#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

// With queries of zero every visible key weighs the same: results are means of the values that are seen.
Tensor query(int64_t heads) {
  Tensor t = *Tensor::create(DType::Float32, Shape{1, heads, 3, 2});
  std::fill_n(t.data<float>(), t.count(), 0.f);
  return t;
}
Tensor keys() { return tensor<float>({1, 1, 3, 2}, {1, 2, 3, 4, 5, 6}); }
Tensor values() { return tensor<float>({1, 1, 3, 1}, {3, 6, 9}); }
Tensor rows(float a, float b, float c) { return tensor<float>({1, 1, 3, 1}, {a, b, c}); }

TEST_CASE("What a first mask hides is nothing else, whatever it was", "[ops][attention]") {
  const Tensor k = tensor<float>({1, 1, 3, 2}, {1, 2, NAN, 4, 5, 6}), added = tensor<float>({1, 3}, {0, 0, -1e9f}),
               seen = tensor<bool>({1, 3}, {true, false, true});
  const auto check_low = [&](float low, const Tensor& mask, const Tensor& y) {
    check(node("Attention", 23, {{"nm_low", low}}), {query(1), k, values(), mask, {}, {}, {}, seen}, {y});
  };
  check_low(-INFINITY, added, rows(3, 3, 3));
  check_low(0, added, rows(4.5f, 4.5f, 4.5f));  // the mask is added behind it
  check_low(0, tensor<float>({1, 3}, {0, -INFINITY, 0}), rows(6, 6, 6));
  check_fails(node("Attention", 23), {query(1), k, values(), added, {}, {}, {}, added}, Code::TypeMismatch);
  check_fails(node("Attention", 23), {query(1), k, values(), added, {}, {}, {}, tensor<bool>({4}, {1, 1, 1, 1})},
              Code::ShapeMismatch);
}

TEST_CASE("Attention sees what masks, causality, windows and lengths allow", "[ops][attention]") {
  const Tensor q = query(1);
  check(node("Attention", 23), {q, keys(), values()}, {rows(6, 6, 6)});
  check(node("Attention", 23, {{"is_causal", int64_t{1}}}), {q, keys(), values()}, {rows(3, 4.5f, 6)});
  check(node("Attention", 23), {q, keys(), values(), tensor<bool>({3, 3}, {1, 0, 0, 0, 1, 1, 0, 0, 0})},
        {rows(3, 7.5f, 0)});
  check(node("Attention", 23), {q, keys(), values(), tensor<float>({1, 3}, {0, 0, -1e9f})}, {rows(4.5f, 4.5f, 4.5f)});
  check(node("Attention", 24), {q, keys(), values(), tensor<bool>({3, 2}, {1, 0, 1, 1, 0, 1})}, {rows(3, 4.5f, 6)});
  check(node("Attention", 24), {q, keys(), values(), Value(), Value(), Value(), tensor<int64_t>({1}, {2})},
        {rows(4.5f, 4.5f, 4.5f)});
  check(node("Attention", 25, {{"left_window_size", int64_t{0}}, {"right_window_size", int64_t{1}}}),
        {q, keys(), values()}, {rows(4.5f, 7.5f, 9)});
  check(node("Attention", 23), {query(2), keys(), values()}, {tensor<float>({1, 2, 3, 1}, {6, 6, 6, 6, 6, 6})});
  check(node("Attention", 23, {{"q_num_heads", int64_t{2}}, {"kv_num_heads", int64_t{1}}}),
        {tensor<float>({1, 1, 2}, {0, 1}), tensor<float>({1, 2, 1}, {0, std::log(3.f)}),
         tensor<float>({1, 2, 1}, {4, 8})},
        {tensor<float>({1, 1, 2}, {6, 7})});
}

struct Sizes {
  int64_t batch, q_heads, kv_heads, q_len, kv_len, head, value;
  bool causal;
};

Tensor drawn(const Shape& shape, std::mt19937& random) {
  Tensor t = *Tensor::create(DType::Float32, shape);
  std::normal_distribution<float> normal;
  for (float& x : std::span(t.data<float>(), static_cast<size_t>(t.count()))) x = normal(random);
  return t;
}

// softmax(q·kᵀ / √head)·v in double, row by row.
Tensor attended(const Sizes& s, const Tensor& q, const Tensor& k, const Tensor& v) {
  Tensor y = *Tensor::create(DType::Float32, {s.batch, s.q_heads, s.q_len, s.value});
  std::vector<double> weights(static_cast<size_t>(s.kv_len));
  for (int64_t row = 0; row < s.batch * s.q_heads * s.q_len; ++row) {
    const int64_t i = row % s.q_len, h = row / s.q_len % s.q_heads, b = row / s.q_len / s.q_heads;
    const int64_t shared = b * s.kv_heads + h / (s.q_heads / s.kv_heads);
    const int64_t seen = s.causal ? std::min(s.kv_len, i + 1) : s.kv_len;
    double sum = 0;
    for (int64_t j = 0; j < seen; ++j) {
      double score = 0;
      for (int64_t d = 0; d < s.head; ++d) {
        score += double{q.data<float>()[row * s.head + d]} * k.data<float>()[(shared * s.kv_len + j) * s.head + d];
      }
      sum += weights[static_cast<size_t>(j)] = std::exp(score / std::sqrt(static_cast<double>(s.head)));
    }
    for (int64_t c = 0; c < s.value; ++c) {
      double all = 0;
      for (int64_t j = 0; j < seen; ++j) {
        all += weights[static_cast<size_t>(j)] * v.data<float>()[(shared * s.kv_len + j) * s.value + c];
      }
      y.data<float>()[row * s.value + c] = static_cast<float>(all / sum);
    }
  }
  return y;
}

TEST_CASE("Attention goes over blocks of rows", "[ops][attention]") {
  std::mt19937 random(1);
  for (const Sizes& s : {Sizes{1, 1, 1, 2, 3, 5, 1, false},      // one small block
                         Sizes{2, 6, 2, 33, 65, 16, 8, false},   // heads that share keys
                         Sizes{1, 1, 1, 300, 70, 8, 9, false},   // one matrix, in pieces for threads
                         Sizes{1, 2, 1, 37, 4100, 4, 4, false},  // so many keys that blocks have the fewest rows
                         Sizes{1, 2, 2, 261, 261, 8, 8, true},   // causal: each block sees more keys
                         Sizes{2, 4, 1, 130, 130, 12, 20, true}}) {
    const Tensor q = drawn({s.batch, s.q_heads, s.q_len, s.head}, random);
    const Tensor k = drawn({s.batch, s.kv_heads, s.kv_len, s.head}, random);
    const Tensor v = drawn({s.batch, s.kv_heads, s.kv_len, s.value}, random);
    check(node("Attention", 23, {{"is_causal", int64_t{s.causal}}}), {q, k, v}, {attended(s, q, k, v)}, 2e-5f);
  }
}

TEST_CASE("Attention keeps caches and shows scores", "[ops][attention]") {
  const Tensor q = tensor<float>({1, 1, 1, 1}, {1}), k = tensor<float>({1, 1, 1, 1}, {std::log(2.f)}),
               v = tensor<float>({1, 1, 1, 1}, {6}), past = tensor<float>({1, 1, 1, 1}, {0});
  check(node("Attention", 23, {{"qk_matmul_output_mode", int64_t{3}}}), {q, k, v, Value(), past, past},
        {tensor<float>({1, 1, 1, 1}, {4}), tensor<float>({1, 1, 2, 1}, {0, std::log(2.f)}),
         tensor<float>({1, 1, 2, 1}, {0, 6}), tensor<float>({1, 1, 1, 2}, {1.f / 3, 2.f / 3})});
  check_fails(node("Attention", 23), {q, k, v, Value(), past}, Code::MissingInput);
  check_fails(node("Attention", 23), {query(1), keys(), v}, Code::ShapeMismatch);
  check_fails(node("Attention", 23), {tensor<float>({1, 1, 2}, {0, 1}), k, v}, Code::ShapeMismatch);
  check_fails(node("Attention", 23), {q, k, v, tensor<bool>({1, 4}, {1, 1, 1, 1})}, Code::ShapeMismatch);
}

TEST_CASE("com.microsoft's Attention projects, masks and attends", "[ops][fused_attention]") {
  const Tensor x = tensor<float>({1, 3, 1}, {3, 6, 9}), weights = tensor<float>({1, 3}, {0, 1, 1}),
               bias = tensor<float>({3}, {0, 0, 1});
  const auto attention = [](AttributeMap a) {
    a["num_heads"] = int64_t{1};
    return node("Attention", 1, std::move(a), "com.microsoft");
  };
  check(attention({}), {x, weights, bias}, {tensor<float>({1, 3, 1}, {7, 7, 7})});
  check(attention({{"unidirectional", int64_t{1}}}), {x, weights, bias}, {tensor<float>({1, 3, 1}, {4, 5.5f, 7})});
  check(attention({}), {x, weights, bias, tensor<int32_t>({1}, {2})}, {tensor<float>({1, 3, 1}, {5.5f, 5.5f, 5.5f})});
  check(attention({}), {x, weights, bias, tensor<int32_t>({1, 3}, {0, 1, 1})},
        {tensor<float>({1, 3, 1}, {8.5f, 8.5f, 8.5f})});
  check(attention({}), {x, weights, bias, Value(), tensor<float>({2, 1, 1, 1, 1}, {5, 15})},
        {tensor<float>({1, 3, 1}, {9, 9, 9}), tensor<float>({2, 1, 1, 4, 1}, {5, 3, 6, 9, 15, 4, 7, 10})});
  check_fails(attention({}), {x, tensor<float>({2, 3}, {0, 0, 0, 0, 0, 0})}, Code::ShapeMismatch);
  check(attention({}), {x, weights, bias, tensor<int32_t>({2}, {2, 1})}, {tensor<float>({1, 3, 1}, {7, 7, 7})});
  check_fails(attention({}), {x, weights, bias, tensor<int32_t>({3}, {1, 1, 1})}, Code::ShapeMismatch);
  check_fails(node("Attention", 1, {}, "com.microsoft"), {x, weights}, Code::InvalidModel);
}

TEST_CASE("RotaryEmbedding turns pairs", "[ops][rotary_embedding]") {
  const Tensor x = tensor<float>({1, 1, 1, 4}, {1, 2, 3, 4});
  const Tensor cosines = tensor<float>({2, 2}, {1, 1, 0, 1}), sines = tensor<float>({2, 2}, {0, 0, 1, 0});
  const Tensor at = tensor<int64_t>({1, 1}, {1});
  check(node("RotaryEmbedding", 23), {x, cosines, sines, at}, {tensor<float>({1, 1, 1, 4}, {-3, 2, 1, 4})});
  check(node("RotaryEmbedding", 23, {{"interleaved", int64_t{1}}}), {x, cosines, sines, at},
        {tensor<float>({1, 1, 1, 4}, {-2, 1, 3, 4})});
  check(node("RotaryEmbedding", 23, {{"rotary_embedding_dim", int64_t{2}}, {"num_heads", int64_t{1}}}),
        {tensor<float>({1, 1, 4}, {1, 2, 3, 4}), tensor<float>({1, 1, 1}, {0}), tensor<float>({1, 1, 1}, {1})},
        {tensor<float>({1, 1, 4}, {-2, 1, 3, 4})});
  check_fails(node("RotaryEmbedding", 23), {x, cosines, sines, tensor<int64_t>({1, 1}, {2})}, Code::InvalidData);
  check_fails(node("RotaryEmbedding", 23), {tensor<float>({1, 1, 4}, {1, 2, 3, 4}), cosines, sines, at},
              Code::InvalidModel);
}

TEST_CASE("com.microsoft's RotaryEmbedding counts on from a position and knows heads by their angles",
          "[ops][rotary_embedding]") {
  const auto rotary = [](AttributeMap a) { return node("RotaryEmbedding", 1, std::move(a), "com.microsoft"); };
  const Tensor cosines = tensor<float>({2, 1}, {1, 0}), sines = tensor<float>({2, 1}, {0, 1});
  const Tensor x = tensor<float>({1, 2, 2}, {1, 2, 3, 4});
  check(rotary({}), {x, tensor<int64_t>({1}, {0}), cosines, sines}, {tensor<float>({1, 2, 2}, {1, 2, -4, 3})});
  check(rotary({}), {x, tensor<int64_t>({1, 2}, {1, 1}), cosines, sines}, {tensor<float>({1, 2, 2}, {-2, 1, -4, 3})});
  check(rotary({}), {tensor<float>({1, 1, 4}, {1, 2, 3, 4}), tensor<int64_t>({1}, {1}), cosines, sines},
        {tensor<float>({1, 1, 4}, {-2, 1, -4, 3})});
  check_fails(rotary({}), {x, tensor<int64_t>({1}, {1}), cosines, sines}, Code::InvalidData);
  check_fails(rotary({}), {tensor<float>({1, 1, 3}, {1, 2, 3}), tensor<int64_t>({1}, {1}), cosines, sines},
              Code::ShapeMismatch);
}

}  // namespace
}  // namespace nm::test
