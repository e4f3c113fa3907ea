// Products of 4-bit codes with integers: a code need not become a float, and a vector holds two or four times as many
// products. Activations of 16 bits are as good as floats (an error of 2^-16 of the block's largest), those of 8 bits
// are what the attribute accuracy_level 4 allows.
#pragma once
#include <limits>
#include <type_traits>

#include "engine/kernels/integers.h"
#include "engine/kernels/nbits.h"
#include "engine/simd/bytes.h"

namespace nm::impl {

// A chunk of 16 codes fills one vector of 16-bit integers of AVX2, and half of one of AVX-512.
#if XSIMD_WITH_AVX512BW
template <class A>
using NBitsArch = std::conditional_t<simd::lanes<A> == 16, xsimd::avx2, A>;
#else
template <class A>
using NBitsArch = A;
#endif

template <class A>
float nbits_zero(const NBits& w, int64_t n, int64_t block) {
  if (w.zeros != nullptr) return w.zeros[n * w.blocks + block];
  if (w.packed_zeros == nullptr) return static_cast<float>(1 << (w.bits - 1));
  const int64_t at = block * w.bits;
  const int byte = w.packed_zeros[n * divide_up(w.blocks * w.bits, 8) + at / 8];
  return static_cast<float>(byte >> (at % 8) & ((1 << w.bits) - 1));
}

template <class A, class X>
void nbits_quantize(const NBits& w, int64_t k, const float* x, X* planes, float* scales, int32_t* sums) {
  constexpr auto kMost = static_cast<float>(std::numeric_limits<X>::max());
  for (int64_t b = 0; b < w.blocks; ++b, planes += w.block) {
    const int64_t first = b * w.block, count = lesser(w.block, k - first);
    float most = 0, finite = 0;
    for (int64_t i = 0; i < count; ++i) {
      const float v = x[first + i], size = v < 0 ? -v : v;
      most = size > most ? size : most;
      finite += v * 0;  // NaN of infinities and NaN
    }
    const float inverse = finite == 0 && most > 0 ? kMost / most : 0;
    // The inverse of a denormal number is infinite.
    const bool usable = inverse > 0 && inverse <= std::numeric_limits<float>::max();
    scales[b] = finite == 0 ? (usable ? most / kMost : 0) : std::numeric_limits<float>::quiet_NaN();
    int32_t sum = 0;
    for (int64_t at = 0; at < w.block; at += 32) {
      for (int p = 0; p < 2; ++p) {
        for (int j = 0; j < 16; ++j) {
          const int64_t i = at + j * 2 + p;
          const float v = usable && i < count ? x[first + i] * inverse : 0;
          const auto rounded = static_cast<int32_t>(v + (v < 0 ? -0.5f : 0.5f));
          planes[at + p * 16 + j] = static_cast<X>(rounded);
          sum += rounded;
        }
      }
    }
    sums[b] = sum;
  }
}

// 2·lanes integers as 16 bits.
template <class H, class X>
simd::vs<H> nbits_load(const X* p) {
  if constexpr (sizeof(X) == 1) {
    return simd::load_bytes<H>(p);
  } else {
    return simd::vs<H>::load_unaligned(p);
  }
}

// sums + the products of 32 codes with 32 arranged integers.
template <class H, class X>
simd::vi<H> nbits_dot_chunk(const uint8_t* codes, const X* x, simd::vi<H> sums) {
#if defined(__wasm_relaxed_simd__)
  if constexpr (sizeof(X) == 1) {
    const v128_t bytes = wasm_v128_load(codes);
    const v128_t low = wasm_v128_and(bytes, wasm_i8x16_const_splat(15)), high = wasm_u8x16_shr(bytes, 4);
    const v128_t first = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load(x), low, sums);
    return simd::vi<H>(wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load(x + 16), high, first));
  }
#endif
  constexpr int step = 2 * simd::lanes<H>;
  const simd::vs<H> mask(int16_t{15});
#pragma GCC unroll 2
  for (int j = 0; j < 16; j += step) {
    const simd::vs<H> bytes = simd::load_bytes<H>(reinterpret_cast<const int8_t*>(codes) + j);
    sums = simd::dot_pairs<H>(bytes & mask, nbits_load<H>(x + j), sums);
    sums = simd::dot_pairs<H>((bytes >> 4) & mask, nbits_load<H>(x + 16 + j), sums);
  }
  return sums;
}

// `columns` columns at once share the loads of x.
template <class A, class H, class X, int columns>
void nbits_dot_integer_columns(const NBits& w, const NBitsRows<X>& x, int64_t n, float* y) {
  const int64_t chunks = w.block / 32, row = w.blocks * chunks * 16;
  const bool symmetric = w.zeros == nullptr && w.packed_zeros == nullptr;
  simd::vf<H> total[columns];
  float offset[columns] = {};
  for (int c = 0; c < columns; ++c) total[c] = simd::vf<H>(0.f);
  const X* planes = x.planes;
  const uint8_t* codes = w.codes + n * row;
  for (int64_t b = 0; b < w.blocks; ++b) {
    simd::vi<H> acc[columns];
    // The zero point 8 of symmetric codes is taken off in integers, where nothing is rounded.
    const int32_t before[simd::lanes<H>] = {symmetric ? -8 * x.sums[b] : 0};
    for (int c = 0; c < columns; ++c) acc[c] = simd::load<H>(before);
    for (int64_t chunk = 0; chunk < chunks; ++chunk, codes += 16, planes += 32) {
#pragma GCC unroll 4
      for (int c = 0; c < columns; ++c) acc[c] = nbits_dot_chunk<H>(codes + c * row, planes, acc[c]);
    }
    const float sum = x.scales[b] * static_cast<float>(x.sums[b]);
    for (int c = 0; c < columns; ++c) {
      const float scale = w.scales[(n + c) * w.blocks + b];
      total[c] = simd::madd<H>(simd::vf<H>(scale * x.scales[b]), xsimd::to_float(acc[c]), total[c]);
      if (!symmetric) offset[c] += scale * nbits_zero<A>(w, n + c, b) * sum;
    }
  }
  for (int c = 0; c < columns; ++c) y[c] = simd::sum<H>(total[c]) - offset[c];
}

template <class A, class H, class X>
void nbits_dot_integers(const NBits& w, int64_t rows, const NBitsRows<X>& x, int64_t n0, int64_t n1, float* y,
                        int64_t ldy) {
  constexpr int together = 4;
  for (int64_t n = n0; n < n1; n += together) {
    for (int64_t r = 0; r < rows; ++r) {
      const NBitsRows<X> one{x.planes + r * w.length(), x.scales + r * w.blocks, x.sums + r * w.blocks};
      float* to = y + r * ldy + n - n0;
      if (n + together <= n1) {
        nbits_dot_integer_columns<A, H, X, together>(w, one, n, to);
      } else {
        for (int64_t c = n; c < n1; ++c) nbits_dot_integer_columns<A, H, X, 1>(w, one, c, to + c - n);
      }
    }
  }
}

}  // namespace nm::impl
