// Which tile and which blocks serve which shape, with the measured reason beside each. bench/micro measures them.
#pragma once
#include <cstdint>

#include "engine/simd/simd.h"

namespace nm::impl {

// A register tile computes mr rows × nv vectors of C: mr·nv sums, nv vectors of B, one of A, and one product where
// multiply-adds are not fused.
//
// 512³ product, AMD Zen 4, GFLOP/s: relaxed-simd 4×8 @@, 5×8 @@, 6×8 51; simd128 4×8 41, 5×8 @@, 6×8 27 (spills).
template <class A>
struct Tile {
  static constexpr int nv = 2;
  static constexpr int mr = simd::registers<A> == 32 ? (simd::lanes<A> == 16 ? 14 : 8) : simd::fused<A> ? 6 : 4;
  static constexpr int nr = nv * simd::lanes<A>;
};

// K is cut so that a panel of B (k_block × nr floats) stays in half of a 32 KiB L1 cache while rows of A pass by.
template <class A>
inline constexpr int64_t k_block = 256;

// Rows of A that are taken through one panel after another: m_block × k_block floats, about 200 KiB of L2.
template <class A>
inline constexpr int64_t m_block = Tile<A>::mr * (192 / Tile<A>::mr);

}  // namespace nm::impl
