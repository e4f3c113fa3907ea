#include <cmath>

#include "engine/kernels/kernels.h"
#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Node product(int64_t k, int64_t n, int64_t bits, int64_t block) {
  return node("MatMulNBits", 1, {{"K", k}, {"N", n}, {"bits", bits}, {"block_size", block}}, "com.microsoft");
}

// Deterministic values of a tensor, from their index.
template <class T, class F>
Tensor made(const Shape& shape, F f) {
  auto t = Tensor::create(dtype_of<T>, shape);
  REQUIRE(t.ok());
  for (int64_t i = 0; i < t->count(); ++i) t->template data<T>()[i] = static_cast<T>(f(i));
  return std::move(*t);
}

}  // namespace

TEST_CASE("MatMulNBits multiplies with the numbers behind the codes", "[ops][matmul_nbits]") {
  for (const int64_t bits : {2, 4, 8}) {
    for (const int64_t block : {16, 32, 128}) {
      for (const int64_t k : {48, 130}) {
        for (const int64_t rows : {1, 6, 70}) {
          INFO(bits << " bits, blocks of " << block << ", k " << k << ", rows " << rows);
          const int64_t n = 5, blocks = (k + block - 1) / block, per_byte = 8 / bits, mask = (1 << bits) - 1;
          const Tensor a = made<float>({rows, k}, [](int64_t i) { return float(i * 7 % 11) - 5; });
          const Tensor codes = made<uint8_t>({n, blocks, block / per_byte}, [](int64_t i) { return i * 37 % 251; });
          const Tensor scales = made<float>({n, blocks}, [](int64_t i) { return 0.25f * float(i % 3 + 1); });
          const int64_t zero_row = (blocks * bits + 7) / 8;
          const Tensor zeros = made<uint8_t>({n, zero_row}, [](int64_t i) { return i * 53 % 241; });
          const Tensor bias = made<float>({n}, [](int64_t i) { return float(i); });
          for (const bool packed : {false, true}) {
            const Tensor expected = made<float>({rows, n}, [&](int64_t i) {
              const int64_t r = i / n, column = i % n;
              float sum = 0;
              for (int64_t j = 0; j < k; ++j) {
                const int64_t b = j / block, at = b * bits;
                const int code =
                    codes.data<uint8_t>()[(column * blocks * block + j) / per_byte] >> (j % per_byte * bits) &
                    static_cast<int>(mask);
                const int zero =
                    packed ? zeros.data<uint8_t>()[column * zero_row + at / 8] >> (at % 8) & static_cast<int>(mask)
                           : 1 << (bits - 1);
                sum += a.data<float>()[r * k + j] * float(code - zero) * scales.data<float>()[column * blocks + b];
              }
              return sum + (packed ? float(column) : 0.f);
            });
            std::vector<Value> inputs{a, codes, scales};
            if (packed) inputs.insert(inputs.end(), {zeros, {}, bias});
            // Codes of 2 and 4 bits meet activations of 16.
            check(product(k, n, bits, block), inputs, {expected}, 1e-4, bits == 8 ? 1e-3 : 5e-3);
          }
        }
      }
    }
  }
}

TEST_CASE("MatMulNBits with activations of 8 bits, where the model allows them", "[ops][matmul_nbits]") {
  // Integers up to 127 and pieces of 32 whose largest is 127 lose nothing: results are exact.
  for (const int64_t block : {32, 64, 256}) {
    for (const int64_t n : {1, 3, 4, 9}) {
      for (const int64_t rows : {1, 2, 5, 64, 65}) {
        for (const bool symmetric : {true, false}) {
          INFO("blocks of " << block << ", n " << n << ", rows " << rows << (symmetric ? "" : ", zero points"));
          const int64_t k = 2 * block + 5, blocks = 3;
          const Tensor a = made<float>({rows, k}, [&](int64_t i) {
            return i % k % std::min<int64_t>(block, 32) == 0 ? 127 : float(i * 31 % 255) - 127;
          });
          const Tensor codes = made<uint8_t>({n, blocks, block / 2}, [](int64_t i) { return i * 37 % 251; });
          const Tensor scales = made<float>({n, blocks}, [](int64_t i) { return 0.25f * float(i % 3 + 1); });
          const Tensor zeros = made<uint8_t>({n, 2}, [](int64_t i) { return i * 53 % 241; });
          const Tensor expected = made<float>({rows, n}, [&](int64_t i) {
            const int64_t r = i / n, column = i % n;
            double sum = 0;
            for (int64_t j = 0; j < k; ++j) {
              const int64_t b = j / block;
              const int code = codes.data<uint8_t>()[(column * blocks * block + j) / 2] >> (j % 2 * 4) & 15;
              const int zero = symmetric ? 8 : zeros.data<uint8_t>()[column * 2 + b / 2] >> (b % 2 * 4) & 15;
              sum += double(a.data<float>()[r * k + j]) * (code - zero) * scales.data<float>()[column * blocks + b];
            }
            return sum;
          });
          Node bytes = product(k, n, 4, block);
          bytes.attributes["accuracy_level"] = int64_t{4};
          std::vector<Value> inputs{a, codes, scales};
          if (!symmetric) inputs.emplace_back(zeros);
          // Where there are no products of 8 bits, those of 16 round 127 parts to 32,767.
          check(bytes, inputs, {expected}, 1e-6, kernels().nbits.dot8 != nullptr ? 1e-2 : 4e-3 * double(k));
        }
      }
    }
  }
}

TEST_CASE("MatMulNBits in integers gives NaN for what is not finite, and zeros for zeros", "[ops][matmul_nbits]") {
  for (const int64_t level : {0, 4}) {
    Node n = product(64, 1, 4, 32);
    n.attributes["accuracy_level"] = level;
    const Tensor codes = made<uint8_t>({1, 2, 16}, [](int64_t) { return 0x99; });
    const Tensor scales = tensor<float>({1, 2}, {1, 1});
    for (const float x : {INFINITY, -INFINITY, NAN}) {
      const Tensor a = made<float>({1, 64}, [&](int64_t i) { return i == 40 ? x : 1; });
      const auto y = run(n, {a, codes, scales}, 1, Feed::Inputs);
      REQUIRE(y.ok());
      CHECK_FALSE(std::isfinite(y.value()[0].tensor()->data<float>()[0]));
    }
    check(n, {made<float>({1, 64}, [](int64_t) { return 0; }), codes, scales}, {tensor<float>({1, 1}, {0})});
    check(n, {made<float>({1, 64}, [](int64_t) { return 1e-44f; }), codes, scales}, {tensor<float>({1, 1}, {0})}, 0,
          1e-40);
  }
}

TEST_CASE("MatMulNBits takes float zero points, groups and weights that are not there", "[ops][matmul_nbits]") {
  const Tensor a = made<float>({1, 32}, [](int64_t) { return 1; });
  const Tensor codes = made<uint8_t>({1, 2, 8}, [](int64_t i) { return i < 8 ? 0x21 : 0x43; });  // 1, 2, … then 3, 4, …
  const Tensor scales = tensor<float>({1, 2}, {1, 10});
  check(product(32, 1, 4, 16), {a, codes, scales, tensor<float>({1, 2}, {0.5f, 3})}, {tensor<float>({1, 1}, {96})});
  // Every other element belongs to the other block.
  const Tensor groups = made<int32_t>({32}, [](int64_t i) { return i % 2; });
  check(product(32, 1, 4, 16), {a, codes, scales, tensor<float>({1, 2}, {0, 0}), groups},
        {tensor<float>({1, 1}, {8 + 160 + 24 + 320})});
  const Tensor none = made<uint8_t>({0, 2, 8}, [](int64_t) { return 0; });
  check(product(32, 1, 4, 16), {a, none, scales, {}, {}, tensor<float>({1}, {7})}, {tensor<float>({1, 1}, {7})});
  check(product(32, 1, 4, 16), {made<float>({0, 32}, [](int64_t) { return 0; }), codes, scales},
        {made<float>({0, 1}, [](int64_t) { return 0; })});
  const Tensor astray = made<int32_t>({32}, [](int64_t i) { return i == 31 ? 2 : 0; });
  check_fails(product(32, 1, 4, 16), {a, codes, scales, {}, astray}, Code::InvalidData);
  check_fails(product(32, 1, 4, 24), {a, codes, scales}, Code::InvalidModel);
  check_fails(product(32, 1, 3, 16), {a, codes, scales}, Code::UnsupportedOperator);
  check_fails(product(32, 2, 4, 16), {a, codes, scales}, Code::ShapeMismatch);
  check_fails(product(31, 1, 4, 16), {a, codes, scales}, Code::ShapeMismatch);
}
