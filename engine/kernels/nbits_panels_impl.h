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

// A panel's eight columns fill one vector of AVX2; AVX-512 has nothing to add for one panel.
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

// Eight codes of 2 bits as such of 4.
static constexpr uint32_t nbits_spread(uint32_t x) {
  x = (x | x << 8) & 0x00ff00ff;
  x = (x | x << 4) & 0x0f0f0f0f;
  return (x | x << 2) & 0x33333333;
}

// Elements 0 to 7, from the lowest bits: to 0 4 1 5 2 6 3 7.
static constexpr uint32_t nbits_shuffle(uint32_t x) {
  uint32_t t = (x ^ x >> 8) & 0xff00;
  x ^= t ^ t << 8;
  t = (x ^ x >> 4) & 0x00f000f0;
  return x ^ t ^ t << 4;
}

template <class A>
void nbits_pack(const NBits& w, const NBitsPanels& to, int64_t begin, int64_t end) {
  const int64_t units = to.block / 8, row = w.length() * w.bits / 8;
  for (int64_t p = begin; p < end; ++p) {
    for (int64_t c = 0; c < NBitsPanels::columns; ++c) {
      const int64_t n = p * NBitsPanels::columns + c;
      const bool there = n < to.n;
      for (int64_t b = 0; b < to.blocks; ++b) {
        uint8_t* codes = to.codes + ((p * to.blocks + b) * units * NBitsPanels::columns + c) * 4;
        const uint8_t* from = w.codes + n * row + b * units * w.bits;
        for (int64_t j = 0; j < units; ++j, codes += NBitsPanels::columns * 4, from += w.bits) {
          uint32_t word = 0;
          if (there && w.bits == 4) __builtin_memcpy(&word, from, 4);
          if (there && w.bits == 2) word = nbits_spread(from[0] | static_cast<uint32_t>(from[1]) << 8);
          word = nbits_shuffle(word);
          __builtin_memcpy(codes, &word, 4);
        }
        const int64_t at = (p * to.blocks + b) * NBitsPanels::columns + c;
        const float scale = there ? w.scales[n * w.blocks + b] : 0;
        to.scales[at] = scale;
        if (to.offsets != nullptr) to.offsets[at] = there ? -scale * nbits_zero<A>(w, n, b) : 0;
      }
    }
  }
}

template <class A, class X>
void nbits_quantize(const NBitsPanels& w, int64_t k, const float* x, const NBitsRows<X>& row) {
  constexpr auto kMost = static_cast<float>(std::numeric_limits<X>::max());
  const int64_t piece = w.piece<X>();
  X* to = row.integers;
  for (int64_t p = 0; p < w.pieces<X>(); ++p, to += piece) {
    const int64_t first = p * piece, count = greater(0, lesser(piece, k - first));
    simd::vf<A> mosts(0.f), finites(0.f);
    int64_t i = 0;
    for (; i + simd::lanes<A> <= count; i += simd::lanes<A>) {
      const simd::vf<A> v = simd::load<A>(x + first + i);
      mosts = xsimd::max(mosts, simd::abs<A>(v));
      finites += v * 0;  // NaN of infinities and NaN
    }
    float most = xsimd::reduce_max(mosts), finite = simd::sum<A>(finites);
    for (; i < count; ++i) {
      const float v = x[first + i], size = v < 0 ? -v : v;
      most = size > most ? size : most;
      finite += v * 0;
    }
    const float inverse = finite == 0 && most > 0 ? kMost / most : 0;
    // The inverse of a denormal number is infinite.
    const bool usable = inverse > 0 && inverse <= std::numeric_limits<float>::max();
    row.scales[p] = finite == 0 ? (usable ? most / kMost : 0) : std::numeric_limits<float>::quiet_NaN();
    const int64_t filled = usable ? count : 0;
    int32_t sum = 0;
    for (i = 0; i < filled; ++i) {
      const float v = x[first + i] * inverse;
      const auto rounded = static_cast<int32_t>(v + (v < 0 ? -0.5f : 0.5f));
      to[i] = static_cast<X>(rounded);
      sum += rounded;
    }
    for (; i < piece; ++i) to[i] = 0;
    row.sums[p] = sum;
  }
}

// The products of a panel's columns with one row as they come in, and what becomes of them. `lanes` columns each, so
// that a panel has one or two. Where 8-bit products would be widened first, 16-bit ones are as fast.
template <class H, class X>
struct NBitsSums;

// 8-bit products are added up in pairs of elements: a pair is at most 2 · 15 · 127 = 3810, and eight of them, which are
// a piece, fit 16 bits. Sums of 32 bits for each four products took two and a half times as many instructions: 65
// GFLOP/s for four rows instead of 77, 39 for one instead of 47 (V8 on x86-64, whose multiply-adds reach 56).
template <class H>
struct NBitsSums<H, int8_t> {
#if NM_ONE_LANE
#elif defined(__wasm_relaxed_simd__)
  v128_t sums;

  void start() { sums = wasm_i16x8_const_splat(0); }
  void add(v128_t codes, const int8_t* x) {
    sums = wasm_i16x8_add(sums, wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load32_splat(x), codes));
  }
  void add(const NBitsSums& other) { sums = wasm_i16x8_add(sums, other.sums); }
  simd::vi<H> columns() const { return simd::vi<H>(wasm_i32x4_extadd_pairwise_i16x8(sums)); }
#elif XSIMD_WITH_AVX2
  __m256i sums;

  void start() { sums = _mm256_setzero_si256(); }
  void add(__m256i codes, const int8_t* x) {
    int32_t four;
    std::memcpy(&four, x, sizeof four);
    sums = _mm256_add_epi16(sums, _mm256_maddubs_epi16(codes, _mm256_set1_epi32(four)));
  }
  void add(const NBitsSums& other) { sums = _mm256_add_epi16(sums, other.sums); }
  simd::vi<H> columns() const { return simd::vi<H>(_mm256_madd_epi16(sums, _mm256_set1_epi16(1))); }
#elif XSIMD_WITH_NEON64
  int16x8_t sums;

  void start() { sums = vdupq_n_s16(0); }
  void add(uint8x16_t codes, const int8_t* x) {
    int32_t four;
    std::memcpy(&four, x, sizeof four);
    const int8x16_t a = vreinterpretq_s8_s32(vdupq_n_s32(four)), b = vreinterpretq_s8_u8(codes);
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b)), high = vmull_high_s8(a, b);
    sums = vaddq_s16(sums, vpaddq_s16(low, high));
  }
  void add(const NBitsSums& other) { sums = vaddq_s16(sums, other.sums); }
  simd::vi<H> columns() const { return simd::vi<H>(vpaddlq_s16(sums)); }
#endif
};

#if !NM_ONE_LANE && (defined(__wasm_relaxed_simd__) || XSIMD_WITH_AVX2 || XSIMD_WITH_NEON64)
static constexpr bool kNBitsBytes = true;
#else
static constexpr bool kNBitsBytes = false;
#endif

// 16-bit products: two sums for each column.
template <class H>
struct NBitsSums<H, int16_t> {
#if NM_ONE_LANE
  int32_t sum;

  void start() { sum = 0; }
  void add(uint32_t codes, const int16_t* x) {
    for (int i = 0; i < 4; ++i) sum += static_cast<int32_t>(codes >> (8 * i) & 255) * x[i];
  }
  void add(const NBitsSums& other) { sum += other.sum; }
  simd::vi<H> columns() const { return simd::vi<H>(sum); }
#elif defined(__wasm_simd128__)
  v128_t first, last;

  void start() { first = last = wasm_i32x4_const_splat(0); }
  void add(v128_t codes, const int16_t* x) {
    const v128_t four = wasm_v128_load64_splat(x);
    first = wasm_i32x4_add(first, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(codes), four));
    last = wasm_i32x4_add(last, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16(codes), four));
  }
  void add(const NBitsSums& other) {
    first = wasm_i32x4_add(first, other.first);
    last = wasm_i32x4_add(last, other.last);
  }
  simd::vi<H> columns() const {
    return simd::vi<H>(
        wasm_i32x4_add(wasm_i32x4_shuffle(first, last, 0, 2, 4, 6), wasm_i32x4_shuffle(first, last, 1, 3, 5, 7)));
  }
#elif XSIMD_WITH_AVX2
  __m256i first, last;

  void start() { first = last = _mm256_setzero_si256(); }
  void add(__m256i codes, const int16_t* x) {
    long long four;
    std::memcpy(&four, x, sizeof four);
    const __m256i all = _mm256_set1_epi64x(four), zero = _mm256_setzero_si256();
    first = _mm256_add_epi32(first, _mm256_madd_epi16(_mm256_unpacklo_epi8(codes, zero), all));
    last = _mm256_add_epi32(last, _mm256_madd_epi16(_mm256_unpackhi_epi8(codes, zero), all));
  }
  void add(const NBitsSums& other) {
    first = _mm256_add_epi32(first, other.first);
    last = _mm256_add_epi32(last, other.last);
  }
  simd::vi<H> columns() const { return simd::vi<H>(_mm256_hadd_epi32(first, last)); }
#elif XSIMD_WITH_NEON64
  int32x4_t sums;

  void start() { sums = vdupq_n_s32(0); }
  void add(uint8x16_t codes, const int16_t* x) {
    const int16x4_t four = vld1_s16(x);
    const int16x8_t a = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(codes)));
    const int16x8_t b = vreinterpretq_s16_u16(vmovl_high_u8(codes));
    const int32x4_t first = vpaddq_s32(vmull_s16(vget_low_s16(a), four), vmull_s16(vget_high_s16(a), four));
    const int32x4_t last = vpaddq_s32(vmull_s16(vget_low_s16(b), four), vmull_s16(vget_high_s16(b), four));
    sums = vaddq_s32(sums, vpaddq_s32(first, last));
  }
  void add(const NBitsSums& other) { sums = vaddq_s32(sums, other.sums); }
  simd::vi<H> columns() const { return simd::vi<H>(sums); }
#else
  __m128i first, last;

  void start() { first = last = _mm_setzero_si128(); }
  void add(__m128i codes, const int16_t* x) {
    const __m128i half = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(x));
    const __m128i four = _mm_unpacklo_epi64(half, half), zero = _mm_setzero_si128();
    first = _mm_add_epi32(first, _mm_madd_epi16(_mm_unpacklo_epi8(codes, zero), four));
    last = _mm_add_epi32(last, _mm_madd_epi16(_mm_unpackhi_epi8(codes, zero), four));
  }
  void add(const NBitsSums& other) {
    first = _mm_add_epi32(first, other.first);
    last = _mm_add_epi32(last, other.last);
  }
  simd::vi<H> columns() const {
    const __m128 a = _mm_castsi128_ps(first), b = _mm_castsi128_ps(last);
    return simd::vi<H>(_mm_add_epi32(_mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0))),
                                     _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)))));
  }
#endif
};

// Four columns' next eight elements each (eight columns' with AVX2): the lower four, then the higher four.
template <class H>
struct NBitsCodes {
#if NM_ONE_LANE
  uint32_t low, high;
  explicit NBitsCodes(const uint8_t* p) {
    uint32_t codes;
    std::memcpy(&codes, p, sizeof codes);
    low = codes & 0x0f0f0f0f;
    high = codes >> 4 & 0x0f0f0f0f;
  }
#elif defined(__wasm_simd128__)
  v128_t low, high;
  explicit NBitsCodes(const uint8_t* p) {
    const v128_t codes = wasm_v128_load(p), mask = wasm_i8x16_const_splat(15);
    low = wasm_v128_and(codes, mask);
    high = wasm_v128_and(wasm_u16x8_shr(codes, 4), mask);  // x86-64 has no shift of bytes
  }
#elif XSIMD_WITH_AVX2
  __m256i low, high;
  explicit NBitsCodes(const uint8_t* p) {
    const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), mask = _mm256_set1_epi8(15);
    low = _mm256_and_si256(codes, mask);
    high = _mm256_and_si256(_mm256_srli_epi16(codes, 4), mask);
  }
#elif XSIMD_WITH_NEON64
  uint8x16_t low, high;
  explicit NBitsCodes(const uint8_t* p) {
    const uint8x16_t codes = vld1q_u8(p);
    low = vandq_u8(codes, vdupq_n_u8(15));
    high = vshrq_n_u8(codes, 4);
  }
#else
  __m128i low, high;
  explicit NBitsCodes(const uint8_t* p) {
    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), mask = _mm_set1_epi8(15);
    low = _mm_and_si128(codes, mask);
    high = _mm_and_si128(_mm_srli_epi16(codes, 4), mask);
  }
#endif
};

// A panel times `rows` rows: each code is unpacked once for all of them. A call for each panel: engines of WebAssembly
// replace their first, slow code of a function when it is entered, not while it loops. Inside the loop over panels it
// ran at 5 GFLOP/s through its first 200 products in V8; the final code alone (--no-liftoff) reached 37 to 41 then.
template <class H, class X, int rows>
[[gnu::noinline]] void nbits_panel(const NBitsPanels& w, const NBitsRows<X>& x, int64_t panel, float* y, int64_t ldy) {
  constexpr int vectors = NBitsPanels::columns / simd::lanes<H>, bytes = 4 * simd::lanes<H>;
  // One row has registers for sums of its own for the low and the high codes, which need not wait for each other.
  constexpr int chains = rows == 1 ? 2 : 1;
  constexpr int step = 2;  // units of eight elements that are written out, as many as the shortest block has
  const bool symmetric = w.offsets == nullptr;
  const int64_t units = w.piece<X>() / 8, pieces = w.pieces<X>(), parts = w.block / w.piece<X>(), length = w.length();
  const uint8_t* codes = w.codes + panel * w.blocks * w.block / 8 * 32;
  const float* scales = w.scales + panel * w.blocks * NBitsPanels::columns;
  const float* offsets = symmetric ? nullptr : w.offsets + panel * w.blocks * NBitsPanels::columns;
  const X* integers = x.integers;
  simd::vf<H> total[rows][vectors];
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) total[r][v] = simd::vf<H>(0.f);
  }
  // Pieces of a block share its scale. (A division for each would cost one row 7 %.)
  for (int64_t p = 0, next = parts; p < pieces; ++p) {
    NBitsSums<H, X> sums[chains][rows][vectors];
#pragma GCC unroll 2
    for (int c = 0; c < chains; ++c) {
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v) sums[c][r][v].start();
      }
    }
    for (int64_t j = 0; j < units; j += step, codes += 32 * step, integers += 8 * step) {
#pragma GCC unroll 2
      for (int u = 0; u < step; ++u) {
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v) {
          const NBitsCodes<H> eight(codes + 32 * u + v * bytes);
#pragma GCC unroll 4
          for (int r = 0; r < rows; ++r) {
            sums[0][r][v].add(eight.low, integers + r * length + 8 * u);
            sums[chains - 1][r][v].add(eight.high, integers + r * length + 8 * u + 4);
          }
        }
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const float scale = x.scales[r * pieces + p];
      const int32_t sum = x.sums[r * pieces + p];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) {
        const int64_t at = v * simd::lanes<H>;
        if constexpr (chains == 2) sums[0][r][v].add(sums[1][r][v]);
        simd::vi<H> all = sums[0][r][v].columns();
        // Symmetric codes lose their zero point in integers, where nothing is rounded.
        all = all - simd::vi<H>(symmetric ? 8 * sum : 0);
        const simd::vf<H> products = xsimd::to_float(all) * simd::vf<H>(scale);
        total[r][v] = simd::madd<H>(simd::load<H>(scales + at), products, total[r][v]);
        if (!symmetric) {
          const simd::vf<H> whole(scale * static_cast<float>(sum));
          total[r][v] = simd::madd<H>(simd::load<H>(offsets + at), whole, total[r][v]);
        }
      }
    }
    if (p + 1 != next) continue;
    next += parts;
    scales += NBitsPanels::columns;
    if (!symmetric) offsets += NBitsPanels::columns;
  }
  const int64_t columns = lesser(NBitsPanels::columns, w.n - panel * NBitsPanels::columns);
  for (int r = 0; r < rows; ++r) {
    float all[NBitsPanels::columns];
    float* to = columns == NBitsPanels::columns ? y + r * ldy : all;
    for (int v = 0; v < vectors; ++v) simd::store<H>(to + v * simd::lanes<H>, total[r][v]);
    for (int64_t c = 0; to == all && c < columns; ++c) y[r * ldy + c] = all[c];
  }
}

template <class A, class H, class X>
void nbits_dot_panels(const NBitsPanels& w, int64_t rows, const NBitsRows<X>& x, int64_t begin, int64_t end, float* y,
                      int64_t ldy) {
  // Unpacking counts more than the registers that two vectors of four rows lack.
  constexpr int together = 4;
  for (int64_t p = begin; p < end; ++p) {
    float* to = y + p * NBitsPanels::columns;
    for (int64_t r = 0; r < rows;) {
      const NBitsRows<X> from{x.integers + r * w.length(), x.scales + r * w.pieces<X>(), x.sums + r * w.pieces<X>()};
      if (r + together <= rows) {
        nbits_panel<H, X, together>(w, from, p, to + r * ldy, ldy);
        r += together;
      } else {
        nbits_panel<H, X, 1>(w, from, p, to + r * ldy, ldy);
        ++r;
      }
    }
  }
}

template <class A>
void nbits_widen_panels(const NBitsPanels& w, int64_t begin, int64_t end, float* y) {
  const int64_t units = w.block / 8, length = w.length();
  for (int64_t p = begin; p < end; ++p, y += NBitsPanels::columns * length) {
    const uint8_t* codes = w.codes + p * w.blocks * units * 32;
    for (int64_t b = 0; b < w.blocks; ++b) {
      for (int64_t c = 0; c < NBitsPanels::columns; ++c) {
        const int64_t at = (p * w.blocks + b) * NBitsPanels::columns + c;
        const float scale = w.scales[at], offset = w.offsets == nullptr ? -8 * scale : w.offsets[at];
        const uint8_t* from = codes + b * units * 32 + c * 4;
        float* to = y + c * length + b * w.block;
#pragma GCC unroll 1
        for (int64_t j = 0; j < units; ++j, from += 32, to += 8) {
          for (int i = 0; i < 4; ++i) to[i] = static_cast<float>(from[i] & 15) * scale + offset;
          for (int i = 0; i < 4; ++i) to[4 + i] = static_cast<float>(from[i] >> 4) * scale + offset;
        }
      }
    }
  }
}

}  // namespace nm::impl
