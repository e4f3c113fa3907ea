#include <algorithm>
#include <cmath>

#include "engine/base/random.h"
#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

// Numbers as the operator sees them: rounded to bytes of a scale that fits all of them.
std::vector<double> as_bytes(const std::vector<float>& x) {
  const float low = std::min(0.f, *std::min_element(x.begin(), x.end()));
  const float high = std::max(0.f, *std::max_element(x.begin(), x.end()));
  const float scale = high == low ? 1 : (high - low) / 255;
  const float zero = std::nearbyint(-low / scale);
  std::vector<double> y;
  for (const float v : x) {
    const float byte = std::clamp(std::nearbyint(v / scale) + zero, 0.f, 255.f);
    y.push_back(static_cast<double>((byte - zero) * scale));
  }
  return y;
}

struct Case {
  int64_t seq = 3, batch = 2, input = 7, hidden = 5, directions = 1;
  bool is_signed = false, by_column = false, zeros = true, states = true;
};

struct Weights {
  Tensor bytes, scale, zero;
  std::vector<double> real;  // [directions, rows, 4·hidden]
};

Weights random_weights(const Case& k, int64_t rows, Random& random) {
  const int64_t wide = 4 * k.hidden;
  const DType type = k.is_signed ? DType::Int8 : DType::UInt8;
  const Shape grid = k.by_column ? Shape{k.directions, wide} : Shape{k.directions};
  Weights w{*Tensor::create(type, Shape{k.directions, rows, wide}),
            *Tensor::create(DType::Float32, grid),
            *Tensor::create(type, grid),
            {}};
  const auto byte = [&](Tensor& t, int64_t i) {
    const auto b = static_cast<uint8_t>(random.next());
    static_cast<uint8_t*>(t.raw())[i] = b;
    return k.is_signed ? int{static_cast<int8_t>(b)} : int{b};
  };
  std::vector<int> zeros;
  for (int64_t i = 0; i < w.zero.count(); ++i) {
    zeros.push_back(k.zeros ? byte(w.zero, i) : 0);
    w.scale.data<float>()[i] = static_cast<float>(0.002 + 0.008 * random.uniform());
  }
  for (int64_t i = 0; i < w.bytes.count(); ++i) {
    const int64_t d = i / (rows * wide), at = k.by_column ? d * wide + i % wide : d;
    const int difference = byte(w.bytes, i) - zeros[static_cast<size_t>(at)];
    w.real.push_back(static_cast<double>(difference) * static_cast<double>(w.scale.data<float>()[at]));
  }
  return w;
}

Tensor random_floats(const Shape& shape, Random& random) {
  Tensor t = *Tensor::create(DType::Float32, shape);
  for (float& v : t.span<float>()) v = static_cast<float>(random.normal());
  return t;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The definition, for one direction after the other.
std::vector<Tensor> expected(const Case& k, const Tensor& x, const Weights& w, const Weights& r, const Tensor& bias,
                             const Tensor& first_h, const Tensor& first_c) {
  const int64_t wide = 4 * k.hidden;
  Tensor y = *Tensor::create(DType::Float32, Shape{k.seq, k.directions, k.batch, k.hidden});
  Tensor y_h = *Tensor::create(DType::Float32, Shape{k.directions, k.batch, k.hidden}), y_c = y_h;
  y_c = *Tensor::create(DType::Float32, y_h.shape());
  const std::vector<double> in = as_bytes({x.data<float>(), x.data<float>() + x.count()});
  for (int64_t d = 0; d < k.directions; ++d) {
    const int64_t state = d * k.batch * k.hidden, states = k.batch * k.hidden;
    std::vector<float> h(first_h.data<float>() + state, first_h.data<float>() + state + states);
    std::vector<float> c(first_c.data<float>() + state, first_c.data<float>() + state + states);
    for (int64_t s = 0; s < k.seq; ++s) {
      const int64_t t = d == 1 ? k.seq - 1 - s : s;
      const std::vector<double> before = as_bytes(h);
      for (int64_t b = 0; b < k.batch; ++b) {
        std::vector<double> gates;
        for (int64_t j = 0; j < wide; ++j) {
          double sum = static_cast<double>(bias.data<float>()[d * 2 * wide + j]) +
                       static_cast<double>(bias.data<float>()[d * 2 * wide + wide + j]);
          for (int64_t i = 0; i < k.input; ++i) {
            sum += in[static_cast<size_t>((t * k.batch + b) * k.input + i)] *
                   w.real[static_cast<size_t>((d * k.input + i) * wide + j)];
          }
          for (int64_t i = 0; i < k.hidden; ++i) {
            sum += before[static_cast<size_t>(b * k.hidden + i)] *
                   r.real[static_cast<size_t>((d * k.hidden + i) * wide + j)];
          }
          gates.push_back(sum);
        }
        for (int64_t j = 0; j < k.hidden; ++j) {
          const auto at = static_cast<size_t>(b * k.hidden + j);
          const auto gate = [&](int64_t g) { return gates[static_cast<size_t>(g * k.hidden + j)]; };
          c[at] =
              static_cast<float>(sigmoid(gate(2)) * static_cast<double>(c[at]) + sigmoid(gate(0)) * std::tanh(gate(3)));
          h[at] = static_cast<float>(sigmoid(gate(1)) * std::tanh(static_cast<double>(c[at])));
          y.data<float>()[((t * k.directions + d) * k.batch + b) * k.hidden + j] = h[at];
        }
      }
    }
    std::copy(h.begin(), h.end(), y_h.data<float>() + state);
    std::copy(c.begin(), c.end(), y_c.data<float>() + state);
  }
  return {y, y_h, y_c};
}

}  // namespace

TEST_CASE("DynamicQuantizeLSTM multiplies bytes of the input and of each state", "[ops][dynamic_quantize_lstm]") {
  Random random(5);
  for (const Case& k : {Case{}, Case{1, 1, 1, 1}, Case{4, 1, 33, 17, 2, true}, Case{2, 3, 8, 16, 2, true, true, false},
                        Case{5, 2, 3, 9, 1, false, true}}) {
    CAPTURE(k.seq, k.batch, k.input, k.hidden, k.directions, k.is_signed, k.by_column, k.zeros);
    const Weights w = random_weights(k, k.input, random), r = random_weights(k, k.hidden, random);
    const Tensor x = random_floats({k.seq, k.batch, k.input}, random);
    const Tensor bias = random_floats({k.directions, 8 * k.hidden}, random);
    const Tensor h = random_floats({k.directions, k.batch, k.hidden}, random), c = random_floats(h.shape(), random);
    AttributeMap attributes{{"hidden_size", k.hidden}};
    if (k.directions == 2) attributes["direction"] = std::string("bidirectional");
    const Value no_zero;
    check(ms("DynamicQuantizeLSTM", attributes),
          {x,
           w.bytes,
           r.bytes,
           bias,
           {},
           h,
           c,
           {},
           w.scale,
           k.zeros ? Value(w.zero) : no_zero,
           r.scale,
           k.zeros ? Value(r.zero) : no_zero},
          expected(k, x, w, r, bias, h, c), 1e-4, 2e-5);
  }
}

TEST_CASE("DynamicQuantizeLSTM of no state and no sequence", "[ops][dynamic_quantize_lstm]") {
  // One unit whose weights are all 0 (their zero point): gates of 1/2, cell 0.5·tanh(1).
  const Tensor x = tensor<float>({2, 1, 1}, {1, 2});
  const Tensor w = tensor<uint8_t>({1, 1, 4}, {9, 9, 9, 9});
  const Tensor scale = tensor<float>({1}, {0.5f}), zero = tensor<uint8_t>({1}, {9});
  const Tensor bias = tensor<float>({1, 8}, {0, 0, 0, 1, 0, 0, 0, 0});
  const float cell = 0.5f * std::tanh(1.f);
  const float first = 0.5f * std::tanh(cell), second = 0.5f * std::tanh(1.5f * cell);
  const Node one = ms("DynamicQuantizeLSTM", {{"hidden_size", int64_t{1}}});
  check(one, {x, w, w, bias, {}, {}, {}, {}, scale, zero, scale, zero}, {tensor<float>({2, 1, 1, 1}, {first, second})});
  check(one, {tensor<float>({0, 1, 1}, {}), w, w, {}, {}, {}, {}, {}, scale, zero, scale, zero},
        {tensor<float>({0, 1, 1, 1}, {}), tensor<float>({1, 1, 1}, {0})});
  check(one,
        {tensor<float>({2, 2, 1}, {1, 1, 2, 2}),
         w,
         w,
         bias,
         tensor<int32_t>({2}, {1, 2}),
         {},
         {},
         {},
         scale,
         zero,
         scale,
         zero},
        {tensor<float>({2, 1, 2, 1}, {first, first, 0, second}), tensor<float>({1, 2, 1}, {first, second})});
}

TEST_CASE("DynamicQuantizeLSTM refuses weights that do not fit", "[ops][dynamic_quantize_lstm]") {
  const Node one = ms("DynamicQuantizeLSTM", {{"hidden_size", int64_t{1}}});
  const Tensor x = tensor<float>({1, 1, 1}, {1}), w = tensor<uint8_t>({1, 1, 4}, {1, 2, 3, 4});
  const Tensor scale = tensor<float>({1}, {0.5f}), zero = tensor<uint8_t>({1}, {9});
  check_fails(one, {x, w, w, {}, {}, {}, {}, {}, scale, zero}, Code::MissingInput);
  check_fails(one, {x, w, w, {}, {}, {}, {}, {}, scale, tensor<int8_t>({1}, {9}), scale, zero}, Code::TypeMismatch);
  check_fails(
      one, {x, tensor<uint8_t>({1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}), w, {}, {}, {}, {}, {}, scale, zero, scale, zero},
      Code::ShapeMismatch);
  check_fails(one, {x, w, w, {}, {}, {}, {}, {}, tensor<float>({3}, {1, 1, 1}), zero, scale, zero},
              Code::ShapeMismatch);
}
