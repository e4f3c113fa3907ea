// What the kernels' tests share: seeded data, exact-size buffers at any alignment, comparison, every instruction set.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "catch_amalgamated.hpp"
#include "engine/kernels/kernels.h"

namespace nm::test {

// `n` elements that end exactly where the heap block ends (a sanitizer sees any access past them) and start
// `misalignment` elements after a 64-byte boundary. Outputs are checked for writes before the start.
template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t n, int misalignment = 1) : size_(n), lead_(misalignment) {
    block_ = static_cast<T*>(std::malloc(static_cast<size_t>(n + lead_) * sizeof(T)));
    std::memset(static_cast<void*>(block_), 0x5a, static_cast<size_t>(n + lead_) * sizeof(T));
  }
  Buffer(Buffer&& o) noexcept : block_(o.block_), size_(o.size_), lead_(o.lead_) { o.block_ = nullptr; }
  Buffer(const Buffer&) = delete;
  ~Buffer() { std::free(block_); }
  T* data() { return block_ + lead_; }
  const T* data() const { return block_ + lead_; }
  operator T*() { return data(); }
  operator const T*() const { return data(); }
  // Of any integer type: with sizes of 32 bits an int fits the pointer's own operator as well as one for int64_t.
  template <class I>
  T& operator[](I i) {
    return data()[i];
  }
  template <class I>
  const T& operator[](I i) const {
    return data()[i];
  }
  int64_t size() const { return size_; }

 private:
  T* block_;
  int64_t size_;
  int lead_;
};

using Floats = Buffer<float>;

inline Floats random_floats(int64_t n, float low = -1, float high = 1, uint32_t seed = 1) {
  Floats b(n);
  std::mt19937 engine(seed + static_cast<uint32_t>(n));
  std::uniform_real_distribution<float> draw(low, high);
  for (int64_t i = 0; i < n; ++i) b[i] = draw(engine);
  return b;
}

// |got - want| <= absolute + relative·|want|; NaN equals NaN. Names the first place that differs.
inline void require_close(const float* got, const std::vector<double>& want, double absolute, double relative,
                          const std::string& what) {
  for (size_t i = 0; i < want.size(); ++i) {
    const double g = got[i], w = want[i];
    const bool same =
        (std::isnan(g) && std::isnan(w)) || g == w || std::abs(g - w) <= absolute + relative * std::abs(w);
    if (!same) {
      FAIL(what << ": element " << i << " is " << g << ", expected " << w);
    }
  }
  SUCCEED();
}

// Runs `body` with each table this machine has.
template <class F>
void for_each_isa(F body) {
  for (const KernelTable* table : available_kernels()) {
    INFO("instruction set " << table->isa);
    body(*table);
  }
}

// What passes fuse into products and convolutions.
inline constexpr Unary kActivations[] = {Unary::Copy,        Unary::Relu, Unary::Clip,    Unary::LeakyRelu,
                                         Unary::Sigmoid,     Unary::Tanh, Unary::Silu,    Unary::HardSwish,
                                         Unary::HardSigmoid, Unary::Gelu, Unary::GeluTanh};

}  // namespace nm::test
