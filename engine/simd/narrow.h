// Numbers narrower than floats, widened as they are loaded. See simd.h for the rules.
#pragma once
#include "engine/simd/simd.h"

namespace nm::simd {

// A finite half, as its bits; signed, because the sign then comes along when they are widened.
enum class Half : int16_t {};

// As many integers as there are floats in a batch.
template <class A, class T>
inline vi<A> widen_integers(const T* p) {
  using Narrow __attribute__((vector_size(lanes<A> * sizeof(T)))) = T;
  using Wide __attribute__((vector_size(lanes<A> * sizeof(int32_t)))) = int32_t;
  Narrow narrow;
  std::memcpy(&narrow, p, sizeof narrow);
  const Wide wide = __builtin_convertvector(narrow, Wide);
  typename vi<A>::register_type v;
  std::memcpy(&v, &wide, sizeof v);
  return vi<A>(v);
}

template <class A>
inline vf<A> widen(const float* p) {
  return load<A>(p);
}
template <class A>
inline vf<A> widen(const int8_t* p) {
  return xsimd::to_float(widen_integers<A>(p));
}
template <class A>
inline vf<A> widen(const Half* p) {
#if defined(__F16C__)
  if constexpr (lanes<A> == 8) {
    return vf<A>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  } else
#endif
#if XSIMD_WITH_AVX512F
      if constexpr (lanes<A> == 16) {
    return vf<A>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
  } else
#endif
  {
    // The exponent's bias is moved by the product.
    const vi<A> bits = (widen_integers<A>(reinterpret_cast<const int16_t*>(p)) << 13) & vi<A>(INT32_MIN | 0x0fffe000);
    return from_bits<A>(bits) * vf<A>(0x1p112f);
  }
}

// The first n, 0 < n < lanes; the others are zero.
template <class A>
inline vf<A> widen_tail(const float* p, int64_t n) {
  return load_tail<A>(p, n);
}
template <class A, class T>
inline vf<A> widen_tail(const T* p, int64_t n) {
  T lane[lanes<A>] = {};
  std::memcpy(lane, p, static_cast<size_t>(n) * sizeof(T));
  return widen<A>(lane);
}

template <class A, class T>
inline float widen_one(T value) {
  return widen_tail<A>(&value, 1).get(0);
}
template <class A>
inline float widen_one(float value) {
  return value;
}

}  // namespace nm::simd
