// Few rows times a matrix that lies as it is, which is read once for all of them: a decoder's queries, their scores.
#pragma once
#include "engine/kernels/gemm.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/long_sum.h"

namespace nm::impl {

// How many rows or vectors of B so many rows meet at a time: sums, the rows' elements and one vector of B have to fit
// 16 registers.
template <int rows>
constexpr int few_rows_width() {
  return rows == 1 ? 8 : rows == 2 ? 4 : rows == 3 ? 3 : 2;
}

// Addresses are of the machine's word, which are cheap in WebAssembly.
template <class A, int rows, int columns>
void dot_tile(const FewRows& f, const float* x, const float* b, float* y) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const ptrdiff_t depth = static_cast<ptrdiff_t>(f.k);
  vf<A> sums[rows][columns];
  const float *from[rows], *line[columns];
#pragma GCC unroll 8
  for (int c = 0; c < columns; ++c) line[c] = b + c * static_cast<ptrdiff_t>(f.ldb);
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    from[r] = x + r * static_cast<ptrdiff_t>(f.ldx);
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) sums[r][c] = vf<A>(0.f);
  }
  const auto step = [&](auto load, ptrdiff_t i) __attribute__((always_inline)) {
    vf<A> vx[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) vx[r] = load(from[r] + i);
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) {
      const vf<A> vb = load(line[c] + i);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) sums[r][c] = simd::madd<A>(vx[r], vb, sums[r][c]);
    }
  };
  ptrdiff_t i = 0;
  for (; i + w <= depth; i += w) step([](const float* p) { return simd::load<A>(p); }, i);
  if (i < depth) step([n = depth - i](const float* p) { return simd::load_tail<A>(p, n); }, i);
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) {
      y[r * static_cast<ptrdiff_t>(f.ldy) + c] = f.alpha * simd::sum<A>(sums[r][c]);
    }
  }
}

template <class A, int rows>
void dot_together(const FewRows& f, int64_t row) {
  constexpr int columns = few_rows_width<rows>();
  const float* x = f.x + row * f.ldx;
  float* y = f.y + row * f.ldy;
  int64_t n = 0;
  for (; n + columns <= f.n; n += columns) dot_tile<A, rows, columns>(f, x, f.b + n * f.ldb, y + n);
  for (; n < f.n; ++n) dot_tile<A, rows, 1>(f, x, f.b + n * f.ldb, y + n);
}

// `width` vectors of B's columns from `b` on; of a single one only `last` lanes.
template <class A, int rows, int width>
void weigh_tile(const FewRows& f, const float* x, const float* b, float* y, int64_t last) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const ptrdiff_t depth = static_cast<ptrdiff_t>(f.k), chain = static_cast<ptrdiff_t>(row_chain(f.k));
  const ptrdiff_t ldb = static_cast<ptrdiff_t>(f.ldb);
  LongSum<A> total[rows][width];
  const float* from[rows];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) from[r] = x + r * static_cast<ptrdiff_t>(f.ldx);
  for (ptrdiff_t i = 0; i < depth;) {
    const ptrdiff_t end = depth - i < chain ? depth : i + chain;
    vf<A> sums[rows][width];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v) sums[r][v] = vf<A>(0.f);
    }
    for (; i < end; ++i, b += ldb) {
      vf<A> vx[rows];
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) vx[r] = simd::splat_load<A>(from[r] + i);
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v) {
        const vf<A> vb = width > 1 || last == w ? simd::load<A>(b + v * w) : simd::load_tail<A>(b, last);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) sums[r][v] = simd::madd<A>(vx[r], vb, sums[r][v]);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v) total[r][v].add(sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < width; ++v) {
      simd::store_up_to<A>(y + r * static_cast<ptrdiff_t>(f.ldy) + v * w, f.alpha * total[r][v].value(), last);
    }
  }
}

template <class A, int rows>
void weigh_together(const FewRows& f, int64_t row) {
  constexpr int width = few_rows_width<rows>();
  constexpr int64_t w = simd::lanes<A>;
  const float* x = f.x + row * f.ldx;
  float* y = f.y + row * f.ldy;
  int64_t n = 0;
  for (; n + width * w <= f.n; n += width * w) weigh_tile<A, rows, width>(f, x, f.b + n, y + n, w);
  for (; n < f.n; n += w) weigh_tile<A, rows, 1>(f, x, f.b + n, y + n, lesser(w, f.n - n));
}

// f.template operator()<rows>(row) for as many rows together as there may be.
template <class F>
void for_rows_together(int64_t m, F f) {
  int64_t row = 0;
  for (; row + 4 <= m; row += 4) f.template operator()<4>(row);
  switch (m - row) {
    case 3:
      return f.template operator()<3>(row);
    case 2:
      return f.template operator()<2>(row);
    case 1:
      return f.template operator()<1>(row);
    default:
      return;
  }
}

template <class A>
void dot_rows(const FewRows& f) {
  for_rows_together(f.m, [&]<int rows>(int64_t row) { dot_together<A, rows>(f, row); });
}

template <class A>
void weigh_rows(const FewRows& f) {
  for_rows_together(f.m, [&]<int rows>(int64_t row) { weigh_together<A, rows>(f, row); });
}

}  // namespace nm::impl
