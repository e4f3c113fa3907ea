// Numbers narrower than floats, widened as they are loaded. See simd.h for the rules.
#pragma once
#include <bit>

#include "engine/simd/simd.h"

namespace nm::simd {

// A finite half, as its bits; signed, because the sign then comes along when they are widened. It is widened to
// kHalfUnit of its value, as its bits are without another product for the exponent's bias.
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

// What widens elements of a type as it loads them: as many as there are floats in a batch. Made outside of loops,
// because it keeps constants (see simd.h).
template <class A, class T>
struct Widener;

template <class A>
struct Widener<A, float> {
  vf<A> operator()(const float* p) const { return load<A>(p); }
  // The first n, 0 < n < lanes; the others are zero.
  vf<A> tail(const float* p, int64_t n) const { return load_tail<A>(p, n); }
};

template <class A, class T>
struct TailWidener {
  vf<A> tail(const T* p, [[maybe_unused]] int64_t n) const {
    const auto& widen = static_cast<const Widener<A, T>&>(*this);
    if constexpr (lanes<A> == 1) {
      return widen(p);
    } else {
      T lane[lanes<A>] = {};
      std::memcpy(lane, p, static_cast<size_t>(n) * sizeof(T));
      return widen(lane);
    }
  }
};

template <class A>
struct Widener<A, int8_t> : TailWidener<A, int8_t> {
  vf<A> operator()(const int8_t* p) const { return xsimd::to_float(widen_integers<A>(p)); }
};

template <class A>
struct Widener<A, Half> : TailWidener<A, Half> {
  vf<A> mask = constant<A, std::bit_cast<float>(0x8fffe000)>();  // all but the exponent's upper bits

  vf<A> operator()(const Half* p) const {
    const vi<A> high = widen_integers<A>(reinterpret_cast<const int16_t*>(p)) << 13;
    return from_bits<A>(high & bits<A>(mask));
  }
};

template <class A, class T>
inline float widen_one(const T& value) {
  return Widener<A, T>().tail(&value, 1).get(0);
}

}  // namespace nm::simd
