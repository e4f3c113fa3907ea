// The inner parts of integer products: activations to 16 bits, the register tile, and what happens to finished sums.
#pragma once
#include "engine/kernels/integer_product.h"
#include "engine/kernels/integers.h"
#include "engine/simd/bytes.h"

namespace nm::impl {

using simd::dot_pairs;
using simd::vi;

// A tile computes mr rows × nv vectors of sums, two steps of K at a time. mr·nv sums, nv vectors of weights, one of
// activations and one product live at once. 49×464×1024 on AMD Zen 4 in Node 24, relaxed-simd, Gop/s: 3×8 75, 4×8 78,
// 5×8 81, 6×8 67 (spills); the f32 tile's roof there is 56.
template <class A>
struct IntegerTile {
  static constexpr int nv = 2;
  static constexpr int mr = simd::registers<A> == 32 ? 8 : 5;
  static constexpr int nr = nv * simd::lanes<A>;
};

[[maybe_unused]] static int32_t byte_value(const void* bytes, bool is_signed, int64_t i) {
  if (bytes == nullptr) return 0;
  return is_signed ? static_cast<const int8_t*>(bytes)[i] : static_cast<const uint8_t*>(bytes)[i];
}

// How bytes become 16-bit numbers: signed ones are flipped into unsigned order first, and their zero point with them.
template <class A>
struct Widening {
  uint8_t flip;
  int16_t zero;
  Widening(bool is_signed, int32_t zero_point)
      : flip(is_signed ? 0x80 : 0), zero(static_cast<int16_t>(zero_point + (is_signed ? 128 : 0))) {}
  int16_t one(uint8_t x) const { return static_cast<int16_t>((x ^ flip) - zero); }
};

template <class A>
inline simd::Shorts8 widen8(const uint8_t* x, const Widening<A>& w) {
  simd::Bytes8 v;
  std::memcpy(&v, x, sizeof v);
  return __builtin_convertvector(v ^ w.flip, simd::Shorts8) - w.zero;
}

template <class A>
[[gnu::always_inline]] inline void widen(const uint8_t* x, const Widening<A> w, int16_t* y, ptrdiff_t n) {
  const auto eight = [&](ptrdiff_t i) {
    const simd::Shorts8 v = widen8<A>(x + i, w);
    std::memcpy(y + i, &v, sizeof v);
  };
  ptrdiff_t i = 0;
  for (; i + 8 <= n; i += 8) eight(i);
  if (i == n) return;
  if (n >= 8) return eight(n - 8);
  for (; i < n; ++i) y[i] = w.one(x[i]);
}

// Sums between MR rows of `pairs` pairs and panels of weights that lie one after another, NV vectors of columns each,
// on top of `start` (one per column).
struct IntegerTileJob {
  const int16_t* rows;
  ptrdiff_t ld;
  ptrdiff_t pairs;
  const int8_t* b;
  ptrdiff_t panels;
  const int32_t* start;
  int32_t* sums;
  ptrdiff_t lds;
};

template <class A, int MR, int NV>
[[gnu::always_inline]] inline void integer_panel(const int16_t* rows, ptrdiff_t ld, ptrdiff_t pairs, const int8_t* b,
                                                 const int32_t* start, int32_t* sums, ptrdiff_t lds) {
  constexpr int W = simd::lanes<A>;
  vi<A> acc[MR][NV];
  const int16_t* a[MR];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
    a[r] = rows + r * ld;
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[r][v] = simd::load<A>(start + v * W);
  }
  for (ptrdiff_t k = 0; k < 2 * pairs; k += 2) {
    simd::vs<A> vb[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) vb[v] = simd::load_bytes<A>(b + v * 2 * W);
    b += NV * 2 * W;
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      const simd::vs<A> va = simd::splat_pair<A>(a[r] + k);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[r][v] = dot_pairs<A>(va, vb[v], acc[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) simd::store<A>(sums + r * lds + v * W, acc[r][v]);
  }
}

// Panels are walked in here: with a short depth a call per panel costs as much as its products.
template <class A, int MR, int NV>
void integer_tile(const IntegerTileJob& job) {
  constexpr ptrdiff_t nr = NV * simd::lanes<A>;
  const IntegerTileJob j = job;
  for (ptrdiff_t p = 0; p < j.panels; ++p) {
    integer_panel<A, MR, NV>(j.rows, j.ld, j.pairs, j.b + p * nr * 2 * j.pairs, j.start + p * nr, j.sums + p * nr,
                             j.lds);
  }
}

using IntegerTileFunction = void (*)(const IntegerTileJob&);

template <class A, int NV, int... I>
constexpr IntegerTileFunction integer_tile_of(int rows, std::integer_sequence<int, I...>) {
  constexpr IntegerTileFunction table[] = {integer_tile<A, I + 1, NV>...};
  return table[rows - 1];
}
// The tile for `rows` (1 … mr) and `vectors` (1 … nv) of sums.
template <class A>
IntegerTileFunction integer_tile_for(int rows, int vectors) {
  using Rows = std::make_integer_sequence<int, IntegerTile<A>::mr>;
  return vectors == 1 ? integer_tile_of<A, 1>(rows, Rows{}) : integer_tile_of<A, 2>(rows, Rows{});
}

[[maybe_unused]] static constexpr ptrdiff_t bytes_of(IntegerEpilogue::To to) {
  return to == IntegerEpilogue::To::Int32 || to == IntegerEpilogue::To::Float32 ? 4 : 1;
}

// Finished sums on their way to y: `rows` rows of n columns, strides in elements. Sums and scales may be read up to
// the next whole group of four vectors.
struct FinishedSums {
  const int32_t* sums;
  ptrdiff_t lds;
  const float* scales;
  void* y;
  ptrdiff_t ldy;
  ptrdiff_t rows, n;
};

template <class A>
[[gnu::always_inline]] inline vf<A> scaled(const FinishedSums& f, const int32_t* sums, ptrdiff_t i) {
  return xsimd::to_float(simd::load<A>(sums + i)) * simd::load<A>(f.scales + i);
}

template <class A>
void finish_as_bytes(const IntegerEpilogue& e, const FinishedSums& given) {
  constexpr ptrdiff_t W = simd::lanes<A>, group = 4 * W;
  const FinishedSums f = given;
  const simd::Quantizer<A> quantize(e.zero, e.low, e.high);
  const int32_t* sums = f.sums;
  auto* y = static_cast<uint8_t*>(f.y);
  for (ptrdiff_t r = 0; r < f.rows; ++r, sums += f.lds, y += f.ldy) {
    const auto four = [&](ptrdiff_t i, uint8_t * to) __attribute__((always_inline)) {
      vi<A> q[4];
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) q[v] = quantize(scaled<A>(f, sums, i + v * W));
      simd::store_low_bytes<A>(to, q);
    };
    ptrdiff_t i = 0;
    for (; i + group <= f.n; i += group) four(i, y + i);
    if (i == f.n) continue;
    if (f.n >= group) {
      four(f.n - group, y + f.n - group);
    } else {
      uint8_t few[group];
      four(0, few);
      for (; i < f.n; ++i) y[i] = few[i];
    }
  }
}

template <class A>
void finish_as_floats(const IntegerEpilogue& e, const FinishedSums& f) {
  constexpr ptrdiff_t W = simd::lanes<A>;
  for (ptrdiff_t r = 0; r < f.rows; ++r) {
    float* y = static_cast<float*>(f.y) + r * f.ldy;
    for (ptrdiff_t i = 0; i < f.n; i += W) {
      const ptrdiff_t count = f.n - i < W ? f.n - i : W;
      vf<A> v = scaled<A>(f, f.sums + r * f.lds, i);
      if (e.offsets) v = v + simd::load_up_to<A>(e.offsets + i, count);
      simd::store_up_to<A>(y + i, v, count);
    }
  }
}

template <class A>
void finish_sums(const IntegerEpilogue& e, const FinishedSums& f) {
  if (e.to == IntegerEpilogue::To::Float32) return finish_as_floats<A>(e, f);
  if (e.to != IntegerEpilogue::To::Int32) return finish_as_bytes<A>(e, f);
  for (ptrdiff_t r = 0; r < f.rows; ++r) {
    std::memcpy(static_cast<int32_t*>(f.y) + r * f.ldy, f.sums + r * f.lds, static_cast<size_t>(f.n) * sizeof(int32_t));
  }
}

}  // namespace nm::impl
