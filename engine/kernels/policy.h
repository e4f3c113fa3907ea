// Which tile and which blocks serve which shape, with the measured reason beside each. bench/micro measures them.
#pragma once
#include <cstdint>

#include "engine/simd/simd.h"

namespace nm::impl {

// A register tile computes mr rows × nv vectors of C: mr·nv sums, nv vectors of B, one of A, and one product where
// multiply-adds are not fused.
//
// 256³ product on AMD Zen 4 in Node 24, GFLOP/s: relaxed-simd 5×8 52.8, 6×8 55.9 (the register-only loop reaches 56.2).
// simd128 on another EPYC with busy neighbours, Node 24 and Bun 1.4 (JavaScriptCore): 4×8 with rows as they lie 36, 32;
// with spread rows (below) 4×8 35, 36 and 5×8 40, 39; the register-only loop reaches 51 in both.
//
// Without SIMD 2×4 has as many sums as 4×2, and half of the functions: there is one for each number of rows, and panels
// are all of one width.
template <class A>
struct Tile {
  static constexpr int nv = simd::lanes<A> == 1 ? 4 : 2;
  static constexpr int mr = simd::lanes<A> == 1        ? 2
                            : simd::registers<A> == 32 ? (simd::lanes<A> == 16 ? 14 : 8)
                            : simd::fused<A>           ? 6
                                                       : 5;
  static constexpr int nr = nv * simd::lanes<A>;
};

// Products are cut along K so that the rows of A under a tile (mr × k_block floats) stay in L1 while a block of panels
// of B (panel_block of them) passes by from L2. Taking the rows in the inner loop instead lets rows that are a power of
// two apart evict each other. Narrow vectors have small tiles, so that more of K fits. relaxed-simd in Node, 1024³ and
// 128×768×3072, GFLOP/s: K by 256 and 128 KiB 49.9, 49.2; 512 and 128 KiB 51.6, 50.4; 512 and 256 KiB 52.2, 51.1;
// 1024 and 256 KiB 52.5, 48.9; 512 and 64 KiB 47.6, 48.1.
// Without SIMD tiles have no sets of sums that take turns, and chains of additions end with a block (long_sum.h).
template <class A>
inline constexpr int64_t k_block = simd::lanes<A> == 1                           ? 64
                                   : simd::lanes<A> == 4 && simd::cheap_splat<A> ? 512
                                                                                 : 256;
template <class A>
inline constexpr int64_t panel_block = (simd::lanes<A> == 4 ? 256 : 128) * 1024 / 4 / k_block<A> / Tile<A>::nr;

// Where a splat costs more than a load (simd::cheap_splat), panels in a row from which on the rows under a tile are
// spread before (spread_rows): a copy must be read some times to pay. GFLOP/s without, from 2 panels on and from 4, in
// Node 24: 112²×32→16 1×1 (2 panels) 28, 23, 28; in Bun: 28²×192→32 1×1 (4) 31, 33, 33; 14²×384→64 1×1 (8) 33, 37, 37.
inline constexpr int64_t spread_panels = 4;

// Whole panels that one row goes through together (run_panels_of_row), counted from the first of all: work is cut
// between threads, and blocks of panels are, at multiples of it, so that a panel's sums are added up in the same order
// always.
inline constexpr int row_panels = 4;

// Rows that go through a block of panels before the next block, a multiple of mr.
template <class A>
inline constexpr int64_t m_block = Tile<A>::mr*(768 / Tile<A>::mr);

// Floats of transformed inputs and outputs that a Winograd convolution works on at a time. Between 64 Ki and 512 Ki
// times differ by noise (56²×64 in Node, relaxed-simd: 1.37 to 1.42 ms; the direct form takes 4.2 ms): little memory
// wins.
inline constexpr int64_t winograd_block = 128 * 1024;

// Tiles for each thread from which on threads work on blocks of their own: the weights of all 36 positions go through
// each thread's cache once for a block.
inline constexpr int64_t winograd_rows_apart = 12;

// Tiles of output pixels per block of a convolution: a panel of weights is read once for so many.
inline constexpr int64_t conv_tiles = 32;

}  // namespace nm::impl
