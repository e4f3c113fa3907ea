// A batch of floats for one instruction set, and the operations that xsimd lacks or does otherwise.
//
// Everything is a template on the architecture tag, so that code compiled for AVX never replaces the baseline's copy
// at link time; include this only from files compiled for the tag's instruction set. In WebAssembly there is one
// instruction set per binary: relaxed operations stand behind the same tag. One binary has none: there, and in one
// target natively, a batch is a single number (NM_ONE_LANE), for which xsimd's emulation lacks what it would do in
// doubles.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#if XSIMD_WITH_EMULATED
#define NM_ONE_LANE 1
// Overloads of xsimd's functions name batches of doubles: that such a one could be is all there is to these.
namespace xsimd::types {
template <>
struct simd_register<double, emulated<32>> {
  using register_type = std::array<double, 1>;
  register_type data;
  operator register_type() const noexcept { return data; }  // NOLINT(google-explicit-constructor)
};
template <>
struct get_bool_simd_register<double, emulated<32>> {
  using type = simd_emulated_bool_register<1>;
};
}  // namespace xsimd::types
#endif

namespace nm::simd {

template <class A>
using vf = xsimd::batch<float, A>;
template <class A>
using vi = xsimd::batch<int32_t, A>;
template <class A>
using vmask = xsimd::batch_bool<float, A>;

// Floats per batch.
template <class A>
inline constexpr int lanes = static_cast<int>(vf<A>::size);

// Architectural vector registers that a register tile may count on.
template <class A>
inline constexpr int registers = 16;
#if XSIMD_WITH_AVX512BW
template <>
inline constexpr int registers<xsimd::avx512bw> = 32;
#endif
#if XSIMD_WITH_NEON64
template <>
inline constexpr int registers<xsimd::neon64> = 32;
#endif

// Quotients and roots as IEEE 754 rounds them. On arm64 xsimd 14 makes those of floats of 32-bit NEON's estimates,
// which are wrong in the last bit, and altogether for divisors near the ends of the range.
template <class A>
inline vf<A> divide(vf<A> x, vf<A> y) {
#if XSIMD_WITH_NEON64
  return vdivq_f32(x, y);
#else
  return x / y;
#endif
}
template <class A>
inline vf<A> sqrt(vf<A> x) {
#if XSIMD_WITH_NEON64
  return vsqrtq_f32(x);
#else
  return xsimd::sqrt(x);
#endif
}

template <class A>
inline vf<A> abs(vf<A> x) {
#if NM_ONE_LANE
  return vf<A>(std::fabs(x.get(0)));
#else
  return xsimd::abs(x);
#endif
}
template <class A>
inline vf<A> floor(vf<A> x) {
#if NM_ONE_LANE
  return vf<A>(std::floor(x.get(0)));
#else
  return xsimd::floor(x);
#endif
}
template <class A>
inline vf<A> ceil(vf<A> x) {
#if NM_ONE_LANE
  return vf<A>(std::ceil(x.get(0)));
#else
  return xsimd::ceil(x);
#endif
}

// Whether madd is one instruction; otherwise it needs a register for the product.
template <class A>
inline constexpr bool fused = registers<A> == 32;
#if XSIMD_WITH_FMA3_AVX2
template <>
inline constexpr bool fused<xsimd::fma3<xsimd::avx2>> = true;
#endif
#if defined(__wasm_relaxed_simd__)
template <>
inline constexpr bool fused<xsimd::wasm> = true;
#endif

// Whether all lanes from one float in memory cost no more than a vector from memory. SSE2 shuffles after the load.
// JavaScriptCore adds up the address first, in two instructions; of the WebAssembly builds it runs the one without
// relaxed SIMD.
template <class A>
inline constexpr bool cheap_splat = true;
#if defined(__wasm_simd128__) && !defined(__wasm_relaxed_simd__)
template <>
inline constexpr bool cheap_splat<xsimd::wasm> = false;
#elif XSIMD_WITH_SSE2
template <>
inline constexpr bool cheap_splat<xsimd::sse2> = false;
#endif

template <class A>
inline vi<A> bits(vf<A> v) {
  return xsimd::bitwise_cast<int32_t>(v);
}
template <class A>
inline vf<A> from_bits(vi<A> v) {
  return xsimd::bitwise_cast<float>(v);
}

template <class A>
inline vf<A> load(const float* p) {
  return vf<A>::load_unaligned(p);
}
template <class A>
inline void store(float* p, vf<A> v) {
  v.store_unaligned(p);
}
// All lanes from one float in memory: a single load on every instruction set.
template <class A>
inline vf<A> splat_load(const float* p) {
#if defined(__wasm_simd128__)
  return vf<A>(wasm_v128_load32_splat(p));
#else
  return vf<A>(*p);
#endif
}

// Lane i of four in all of them.
template <class A, uint32_t i>
inline vf<A> splat_lane(vf<A> v) {
  return xsimd::swizzle(v, xsimd::batch_constant<uint32_t, A, i, i, i, i>());
}

// The same float in all lanes, for constants inside loops. WebAssembly compilers rebuild a vector constant at each use
// (three instructions on x86-64); a load that LLVM cannot see through is one.
template <class A>
inline vf<A> constant_at(const float* p) {
#if defined(__wasm_simd128__)
  asm volatile("" : "+r"(p));
#endif
  return splat_load<A>(p);
}
template <class A, float value>
inline vf<A> constant() {
#if defined(__wasm_simd128__)
  static constexpr float stored = value;
  return constant_at<A>(&stored);
#else
  return vf<A>(value);
#endif
}

// a·b + c, fused where the instruction set fuses at full speed, two roundings elsewhere.
template <class A>
inline vf<A> madd(vf<A> a, vf<A> b, vf<A> c) {
#if defined(__wasm_relaxed_simd__)
  return vf<A>(wasm_f32x4_relaxed_madd(a, b, c));
#else
  return xsimd::fma(a, b, c);
#endif
}
// c - a·b
template <class A>
inline vf<A> nmadd(vf<A> a, vf<A> b, vf<A> c) {
#if defined(__wasm_relaxed_simd__)
  return vf<A>(wasm_f32x4_relaxed_nmadd(a, b, c));
#else
  return xsimd::fnma(a, b, c);
#endif
}

// a where the mask is set, b elsewhere. V8 takes three or four instructions for the bitwise form, one for the relaxed.
template <class A>
inline vf<A> select(vmask<A> mask, vf<A> a, vf<A> b) {
#if defined(__wasm_relaxed_simd__)
  return vf<A>(wasm_i32x4_relaxed_laneselect(a, b, mask));
#else
  return xsimd::select(mask, a, b);
#endif
}

// Minimum and maximum in one instruction: where x is NaN the result is NaN; where only the bound is, it is not
// specified. Of two zeros either may come back.
template <class A>
inline vf<A> at_most(vf<A> x, vf<A> bound) {
#if NM_ONE_LANE
  return bound.get(0) < x.get(0) ? bound : x;
#elif defined(__wasm_simd128__)
  return vf<A>(wasm_f32x4_pmin(x, bound));
#else
  return xsimd::min(x, bound);
#endif
}
template <class A>
inline vf<A> at_least(vf<A> x, vf<A> bound) {
#if NM_ONE_LANE
  return bound.get(0) > x.get(0) ? bound : x;
#elif defined(__wasm_simd128__)
  return vf<A>(wasm_f32x4_pmax(x, bound));
#else
  return xsimd::max(x, bound);
#endif
}
template <class A>
inline vf<A> clamp(vf<A> x, vf<A> low, vf<A> high) {
  return at_most<A>(at_least<A>(x, low), high);
}

// The first n lanes, 0 <= n < lanes; the others are zero (load) or left alone (store). Touches no byte past them.
template <class A>
inline vf<A> load_tail(const float* p, int64_t n) {
#if XSIMD_WITH_AVX512F
  if constexpr (lanes<A> == 16) {
    return vf<A>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
  } else
#endif
#if XSIMD_WITH_AVX2
      if constexpr (lanes<A> == 8) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return vf<A>(_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane)));
  } else
#endif
  {
    float lane[lanes<A>] = {};
    for (int64_t i = 0; i < n; ++i) lane[i] = p[i];
    return load<A>(lane);
  }
}
template <class A>
inline void store_tail(float* p, vf<A> v, int64_t n) {
#if XSIMD_WITH_AVX512F
  if constexpr (lanes<A> == 16) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
  } else
#endif
#if XSIMD_WITH_AVX2
      if constexpr (lanes<A> == 8) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane), v);
  } else
#endif
  {
    float lane[lanes<A>];
    store<A>(lane, v);
    for (int64_t i = 0; i < n; ++i) p[i] = lane[i];
  }
}

// As load_tail and store_tail, for 1 <= n <= lanes.
template <class A>
inline vf<A> load_up_to(const float* p, int64_t n) {
  return n == lanes<A> ? load<A>(p) : load_tail<A>(p, n);
}
template <class A>
inline void store_up_to(float* p, vf<A> v, int64_t n) {
  if (n == lanes<A>) {
    store<A>(p, v);
  } else {
    store_tail<A>(p, v, n);
  }
}

// 16 bytes as integers.
template <class A>
inline void widen_bytes(const uint8_t* p, vi<A> (&out)[16 / lanes<A>]) {
#if XSIMD_WITH_AVX512F
  if constexpr (lanes<A> == 16) {
    out[0] = vi<A>(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  } else
#endif
#if XSIMD_WITH_AVX2
      if constexpr (lanes<A> == 8) {
    for (int i = 0; i < 2; ++i) {
      out[i] = vi<A>(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8 * i))));
    }
  } else
#endif
  {
#if NM_ONE_LANE
    for (int i = 0; i < 16; ++i) out[i] = vi<A>(p[i]);
#elif defined(__wasm_simd128__)
    const v128_t bytes = wasm_v128_load(p);
    const v128_t low = wasm_u16x8_extend_low_u8x16(bytes), high = wasm_u16x8_extend_high_u8x16(bytes);
    out[0] = vi<A>(wasm_u32x4_extend_low_u16x8(low));
    out[1] = vi<A>(wasm_u32x4_extend_high_u16x8(low));
    out[2] = vi<A>(wasm_u32x4_extend_low_u16x8(high));
    out[3] = vi<A>(wasm_u32x4_extend_high_u16x8(high));
#elif defined(__SSE2__)
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), zero = _mm_setzero_si128();
    const __m128i low = _mm_unpacklo_epi8(bytes, zero), high = _mm_unpackhi_epi8(bytes, zero);
    out[0] = vi<A>(_mm_unpacklo_epi16(low, zero));
    out[1] = vi<A>(_mm_unpackhi_epi16(low, zero));
    out[2] = vi<A>(_mm_unpacklo_epi16(high, zero));
    out[3] = vi<A>(_mm_unpackhi_epi16(high, zero));
#else
    const uint8x16_t bytes = vld1q_u8(p);
    const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
    out[0] = vi<A>(vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))));
    out[1] = vi<A>(vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(low))));
    out[2] = vi<A>(vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))));
    out[3] = vi<A>(vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(high))));
#endif
  }
}

// To the nearest integer, halves to even: floats of 2^23 and more are integers already.
template <class A>
inline vf<A> round_even(vf<A> x) {
  const vf<A> sign = from_bits<A>(bits<A>(x) & vi<A>(INT32_MIN));
  const vf<A> shift(8388608.f);
  const vf<A> rounded = (abs<A>(x) + shift) - shift;
  const vf<A> y = select<A>(abs<A>(x) < shift, rounded, abs<A>(x));
  return from_bits<A>(bits<A>(y) | bits<A>(sign));
}

// The first n lanes of v, the others replaced by `fill`.
template <class A>
inline vf<A> keep_first(vf<A> v, int64_t n, float fill) {
  float lane[lanes<A>];
  store<A>(lane, v);
  for (int64_t i = n; i < lanes<A>; ++i) lane[i] = fill;
  return load<A>(lane);
}

template <class A>
inline float sum(vf<A> v) {
  return xsimd::reduce_add(v);
}
// NaN if any lane is NaN.
template <class A>
inline float maximum(vf<A> v) {
  float lane[lanes<A>];
  store<A>(lane, v);
  float best = lane[0];
  for (int i = 1; i < lanes<A>; ++i) best = (lane[i] > best || lane[i] != lane[i]) ? lane[i] : best;
  return best;
}
template <class A>
inline float minimum(vf<A> v) {
  return -maximum<A>(-v);
}

// y[i] = f(x[i]) for n floats; f maps batches and sees zeros in the lanes past the end.
template <class A, class F>
inline void map(const float* x, float* y, int64_t n, F f) {
  constexpr int64_t w = lanes<A>;
  int64_t i = 0;
  for (; i + 2 * w <= n; i += 2 * w) {
    const vf<A> a = f(load<A>(x + i)), b = f(load<A>(x + i + w));
    store<A>(y + i, a);
    store<A>(y + i + w, b);
  }
  if (i + w <= n) {
    store<A>(y + i, vf<A>(f(load<A>(x + i))));
    i += w;
  }
  if (i < n) store_tail<A>(y + i, f(load_tail<A>(x + i, n - i)), n - i);
}

}  // namespace nm::simd
