// Bytes and 16-bit integers in vectors: what products of 8-bit integers are made of. See simd.h for the rules.
#pragma once
#include "engine/simd/simd.h"

namespace nm::simd {

template <class A>
using vs = xsimd::batch<int16_t, A>;

template <class A>
inline vi<A> load(const int32_t* p) {
  return vi<A>::load_unaligned(p);
}
template <class A>
inline void store(int32_t* p, vi<A> v) {
  v.store_unaligned(p);
}

template <class A>
inline vs<A> as_pairs(vi<A> v) {
  return xsimd::bitwise_cast<int16_t>(v);
}

// 2·lanes signed bytes, widened.
template <class A>
inline vs<A> load_bytes(const int8_t* p) {
#if XSIMD_WITH_AVX512BW
  if constexpr (lanes<A> == 16) {
    return vs<A>(_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
  } else
#endif
#if XSIMD_WITH_AVX2
      if constexpr (lanes<A> == 8) {
    return vs<A>(_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  } else
#endif
  {
#if NM_ONE_LANE
    return vs<A>(p[0], p[1]);
#elif defined(__wasm_simd128__)
    return vs<A>(wasm_i16x8_load8x8(p));
#elif XSIMD_WITH_NEON64
    return vs<A>(vmovl_s8(vld1_s8(p)));
#else
    const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return vs<A>(_mm_srai_epi16(_mm_unpacklo_epi8(v, v), 8));
#endif
  }
}

// Two neighbouring integers in all pairs of lanes.
template <class A>
inline vs<A> splat_pair(const int16_t* p) {
#if defined(__wasm_simd128__)
  return vs<A>(wasm_v128_load32_splat(p));
#else
  int32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return as_pairs<A>(vi<A>(pair));
#endif
}

// sums + a[2i]·b[2i] + a[2i+1]·b[2i+1], modulo 2^32. The products of one pair must not both be (-2^15)².
template <class A>
inline vi<A> dot_pairs(vs<A> a, vs<A> b, vi<A> sums) {
#if XSIMD_WITH_AVX512BW
  if constexpr (lanes<A> == 16) {
    return sums + vi<A>(_mm512_madd_epi16(a, b));
  } else
#endif
#if XSIMD_WITH_AVX2
      if constexpr (lanes<A> == 8) {
    return sums + vi<A>(_mm256_madd_epi16(a, b));
  } else
#endif
  {
#if NM_ONE_LANE
    return sums + vi<A>(a.get(0) * b.get(0) + a.get(1) * b.get(1));
#elif defined(__wasm_simd128__)
    return sums + vi<A>(wasm_i32x4_dot_i16x8(a, b));
#elif XSIMD_WITH_NEON64
    const int16x8_t x = a, y = b;
    return sums + vi<A>(vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y)));
#else
    return sums + vi<A>(_mm_madd_epi16(a, b));
#endif
  }
}

// The lowest bytes of four vectors in a row: 4·lanes bytes.
template <class A>
inline void store_low_bytes(uint8_t* p, const vi<A> (&v)[4]) {
#if XSIMD_WITH_AVX512F
  if constexpr (lanes<A> == 16) {
    for (int i = 0; i < 4; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(p + i * 16), _mm512_cvtepi32_epi8(v[i]));
  } else
#endif
#if XSIMD_WITH_AVX2
      if constexpr (lanes<A> == 8) {
    const __m256i mask = _mm256_set1_epi32(0xff);
    const __m256i low = _mm256_packs_epi32(_mm256_and_si256(v[0], mask), _mm256_and_si256(v[1], mask));
    const __m256i high = _mm256_packs_epi32(_mm256_and_si256(v[2], mask), _mm256_and_si256(v[3], mask));
    // Packing works in halves of 128 bits, which leaves the groups of four bytes out of order.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order));
  } else
#endif
  {
#if NM_ONE_LANE
    for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(v[i].get(0));
#elif defined(__wasm_simd128__)
    const v128_t mask = wasm_i32x4_const_splat(0xff);
    const v128_t low = wasm_i16x8_narrow_i32x4(wasm_v128_and(v[0], mask), wasm_v128_and(v[1], mask));
    const v128_t high = wasm_i16x8_narrow_i32x4(wasm_v128_and(v[2], mask), wasm_v128_and(v[3], mask));
    wasm_v128_store(p, wasm_u8x16_narrow_i16x8(low, high));
#elif XSIMD_WITH_NEON64
    const uint16x8_t low = vuzp1q_u16(vreinterpretq_u16_s32(v[0]), vreinterpretq_u16_s32(v[1]));
    const uint16x8_t high = vuzp1q_u16(vreinterpretq_u16_s32(v[2]), vreinterpretq_u16_s32(v[3]));
    vst1q_u8(p, vuzp1q_u8(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high)));
#else
    const __m128i mask = _mm_set1_epi32(0xff);
    const __m128i low = _mm_packs_epi32(_mm_and_si128(v[0], mask), _mm_and_si128(v[1], mask));
    const __m128i high = _mm_packs_epi32(_mm_and_si128(v[2], mask), _mm_and_si128(v[3], mask));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(low, high));
#endif
  }
}

// Floats to 8-bit integers: bounded, rounded to nearest (halves to even), then moved by the zero point. Adding 1.5·2^23
// leaves the rounded number in the low bits.
template <class A>
struct Quantizer {
  vf<A> low, high, rounding;
  vi<A> shift;
  // `lowest` and `highest` bound the result, which must have 8 bits.
  Quantizer(int32_t zero, int32_t lowest, int32_t highest)
      : low(static_cast<float>(lowest - zero)),
        high(static_cast<float>(highest - zero)),
        rounding(constant<A, 12582912.f>()),
        shift(zero - 0x4b400000) {}
  // NaN becomes the lowest number: the comparison with it is false.
  vi<A> operator()(vf<A> x) const {
#if defined(__wasm_simd128__)
    const vf<A> above(wasm_f32x4_pmax(low, x));  // low < x ? x : low
#else
    const vf<A> above = xsimd::select(x > low, x, low);
#endif
    const vf<A> bounded = at_most<A>(above, high);
    return bits<A>(bounded + rounding) + shift;
  }
};

// Eight bytes as 16-bit integers. Vector extensions of the compiler: every target has these widths.
using Bytes8 = uint8_t __attribute__((vector_size(8)));
using Shorts8 = int16_t __attribute__((vector_size(16)));

}  // namespace nm::simd
