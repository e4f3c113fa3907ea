// Products with codes of 8 bits, which become floats as they are read.
#pragma once
#include "engine/kernels/integers.h"
#include "engine/kernels/nbits.h"
#include "engine/kernels/nbits_panels_impl.h"
#include "engine/simd/simd.h"

namespace nm::impl {

template <class A>
void nbits_pad(const NBits& w, int64_t k, const float* x, float* row, float* sums) {
  for (int64_t i = 0; i < w.length(); ++i) row[i] = i < k ? x[i] : 0;
  for (int64_t b = 0; sums != nullptr && b < w.blocks; ++b) {
    float sum = 0;
    for (int64_t i = b * w.block; i < (b + 1) * w.block; ++i) sum += row[i];
    sums[b] = sum;
  }
}

// `columns` columns at once share the loads of x.
template <class A, int columns>
void nbits_dot_columns(const NBits& w, const float* x, const float* sums, int64_t n, float* y) {
  constexpr int vectors = 16 / simd::lanes<A>;
  simd::vf<A> total[columns];
  float offset[columns] = {};
  for (int c = 0; c < columns; ++c) total[c] = simd::vf<A>(0.f);
  const uint8_t* codes = w.codes + n * w.length();
  for (int64_t b = 0; b < w.blocks; ++b) {
    simd::vf<A> acc[columns];
    for (int c = 0; c < columns; ++c) acc[c] = simd::vf<A>(0.f);
    for (int64_t i = 0; i < w.block; i += 16, codes += 16, x += 16) {
#pragma GCC unroll 2
      for (int c = 0; c < columns; ++c) {
        simd::vi<A> bytes[vectors];
        simd::widen_bytes<A>(codes + c * w.length(), bytes);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) {
          acc[c] = simd::madd<A>(xsimd::to_float(bytes[v]), simd::load<A>(x + v * simd::lanes<A>), acc[c]);
        }
      }
    }
    for (int c = 0; c < columns; ++c) {
      const float scale = w.scales[(n + c) * w.blocks + b];
      total[c] = simd::madd<A>(simd::vf<A>(scale), acc[c], total[c]);
      offset[c] += scale * nbits_zero<A>(w, n + c, b) * sums[b];
    }
  }
  for (int c = 0; c < columns; ++c) y[c] = simd::sum<A>(total[c]) - offset[c];
}

template <class A>
void nbits_dot(const NBits& w, int64_t rows, const float* x, const float* sums, int64_t n0, int64_t n1, float* y,
               int64_t ldy) {
  constexpr int together = 2;
  for (int64_t n = n0; n < n1; n += together) {
    for (int64_t r = 0; r < rows; ++r) {
      const float* row = x + r * w.length();
      float* to = y + r * ldy + n - n0;
      n + together <= n1 ? nbits_dot_columns<A, together>(w, row, sums + r * w.blocks, n, to)
                         : nbits_dot_columns<A, 1>(w, row, sums + r * w.blocks, n, to);
    }
  }
}

template <class A>
void nbits_widen(const NBits& w, int64_t n0, int64_t n1, float* y) {
  const uint8_t* codes = w.codes + n0 * w.length();
  for (int64_t n = n0; n < n1; ++n) {
    for (int64_t b = 0; b < w.blocks; ++b, codes += w.block, y += w.block) {
      const float scale = w.scales[n * w.blocks + b], zero = nbits_zero<A>(w, n, b);
      for (int64_t i = 0; i < w.block; ++i) y[i] = (static_cast<float>(codes[i]) - zero) * scale;
    }
  }
}

template <class A>
constexpr NBitsKernels nbits_kernels() {
  using H = NBitsArch<A>;
  NBitsKernels k{.pack = nbits_pack<A>,
                 .quantize8 = nbits_quantize<A, int8_t>,
                 .quantize16 = nbits_quantize<A, int16_t>,
                 .dot8 = nullptr,
                 .dot16 = nbits_dot_panels<A, H, int16_t>,
                 .widen_panels = nbits_widen_panels<A>,
                 .pad = nbits_pad<A>,
                 .dot = nbits_dot<A>,
                 .widen = nbits_widen<A>};
  if constexpr (kNBitsBytes) k.dot8 = nbits_dot_panels<A, H, int8_t>;
  return k;
}

}  // namespace nm::impl
