// Few rows times a matrix that lies as it is, which is read once for all of them: a decoder's queries, their scores.
#pragma once
#include "engine/kernels/gemm.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/long_sum.h"
#include "engine/simd/narrow.h"

namespace nm::impl {

// How many rows or vectors of B one row or three meet at a time: sums, the rows' elements and one vector of B have to
// fit 16 registers. With tiles for two and four rows as well eight rows were a fifth faster (46 against
// 39 GFLOP/s in V8), for 10 KB more.
template <int rows>
constexpr int few_rows_width() {
  return rows == 1 ? 8 : 3;
}

// What the elements from k on add to sums: one piece of code for all, which written out took 7 KB.
template <class A, class T>
[[gnu::noinline]] void dot_rest(const FewRows& f, const float* x, const T* b, float* y, int64_t rows, int64_t columns,
                                int64_t k) {
  for (; rows > 0; --rows, x += f.ldx, y += f.ldy) {
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t i = k; i < f.k; ++i) y[c] += f.alpha * x[i] * simd::widen_one<A>(b[c * f.ldb + i]);
    }
  }
}

template <class A>
[[gnu::noinline]] void store_sums(const FewRows& f, const vf<A>* sums, ptrdiff_t rows, ptrdiff_t columns, float* y) {
  for (ptrdiff_t r = 0; r < rows; ++r, y += f.ldy) {
    for (ptrdiff_t c = 0; c < columns; ++c) y[c] = f.alpha * simd::sum<A>(*sums++);
  }
}

// Addresses are of the machine's word, which are cheap in WebAssembly.
template <class A, class T, int rows, int columns>
[[gnu::noinline]] void dot_tile(const FewRows& f, const float* x, const T* b, float* y) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const ptrdiff_t depth = static_cast<ptrdiff_t>(f.k);
  vf<A> sums[rows][columns];
  const float* from[rows];
  const T* line[columns];
#pragma GCC unroll 8
  for (int c = 0; c < columns; ++c) line[c] = b + c * static_cast<ptrdiff_t>(f.ldb);
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    from[r] = x + r * static_cast<ptrdiff_t>(f.ldx);
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) sums[r][c] = vf<A>(0.f);
  }
  const simd::Widener<A, T> widen;
  ptrdiff_t i = 0;
  for (; i + w <= depth; i += w) {
    vf<A> vx[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) vx[r] = simd::load<A>(from[r] + i);
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) {
      const vf<A> vb = widen(line[c] + i);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) sums[r][c] = simd::madd<A>(vx[r], vb, sums[r][c]);
    }
  }
  vf<A> stored[rows * columns];  // in memory, so that the sums need not be
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) stored[r * columns + c] = sums[r][c];
  }
  store_sums<A>(f, stored, rows, columns, y);
  if (i < depth) dot_rest<A>(f, x, b, y, rows, columns, i);
}

template <class A, class T, int rows>
void dot_together(const FewRows& f, int64_t row) {
  constexpr int columns = few_rows_width<rows>();
  const T* b = static_cast<const T*>(f.b);
  const float* x = f.x + row * f.ldx;
  float* y = f.y + row * f.ldy;
  int64_t n = 0;
  for (; n + columns <= f.n; n += columns) dot_tile<A, T, rows, columns>(f, x, b + n * f.ldb, y + n);
  for (; n < f.n; ++n) {
    for (int r = 0; r < rows; ++r) dot_tile<A, T, 1, 1>(f, x + r * f.ldx, b + n * f.ldb, y + r * f.ldy + n);
  }
}

// What is done once for many rows is not written out for each of a tile's sums.
template <class A>
[[gnu::noinline]] void add_parts(LongSum<A>* totals, const vf<A>* parts, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; ++i) totals[i].add(parts[i]);
}
template <class A>
[[gnu::noinline]] void store_totals(const FewRows& f, const LongSum<A>* totals, ptrdiff_t rows, ptrdiff_t width,
                                    float* y, int64_t last) {
  for (ptrdiff_t r = 0; r < rows; ++r, y += f.ldy) {
    for (ptrdiff_t v = 0; v < width; ++v) {
      simd::store_up_to<A>(y + v * simd::lanes<A>, f.alpha * (totals++)->value(), last);
    }
  }
}

// `width` vectors of B's columns from `b` on; of a single one only `last` lanes.
template <class A, class T, int rows, int width>
[[gnu::noinline]] void weigh_tile(const FewRows& f, const float* x, const T* b, float* y, int64_t last) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const ptrdiff_t depth = static_cast<ptrdiff_t>(f.k), chain = static_cast<ptrdiff_t>(row_chain(f.k));
  const ptrdiff_t ldb = static_cast<ptrdiff_t>(f.ldb);
  LongSum<A> totals[rows * width];
  const simd::Widener<A, T> widen;
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
        const vf<A> vb = width > 1 || last == w ? widen(b + v * w) : widen.tail(b, last);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) sums[r][v] = simd::madd<A>(vx[r], vb, sums[r][v]);
      }
    }
    vf<A> parts[rows * width];  // in memory, so that the sums need not be
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v) parts[r * width + v] = sums[r][v];
    }
    add_parts<A>(totals, parts, rows * width);
  }
  store_totals<A>(f, totals, rows, width, y, last);
}

template <class A, class T, int rows>
void weigh_together(const FewRows& f, int64_t row) {
  constexpr int width = few_rows_width<rows>();
  constexpr int64_t w = simd::lanes<A>;
  const T* b = static_cast<const T*>(f.b);
  const float* x = f.x + row * f.ldx;
  float* y = f.y + row * f.ldy;
  int64_t n = 0;
  for (; n + width * w <= f.n; n += width * w) weigh_tile<A, T, rows, width>(f, x, b + n, y + n, w);
  for (; n < f.n; n += w) {
    for (int r = 0; r < rows; ++r) {
      weigh_tile<A, T, 1, 1>(f, x + r * f.ldx, b + n, y + r * f.ldy + n, lesser(w, f.n - n));
    }
  }
}

// f.template operator()<T, rows>(row) for as many rows together as there may be.
template <class T, class F>
void for_rows_together(int64_t m, F f) {
  int64_t row = 0;
  for (; row + 3 <= m; row += 3) f.template operator()<T, 3>(row);
  for (; row < m; ++row) f.template operator()<T, 1>(row);
}

// The same with B's element type.
template <class F>
void for_stored_rows(const FewRows& r, F f) {
  switch (r.stored) {
    case Stored::F32:
      return for_rows_together<float>(r.m, f);
    case Stored::F16:
      return for_rows_together<simd::Half>(r.m, f);
    case Stored::I8:
      return for_rows_together<int8_t>(r.m, f);
  }
}

template <class A>
void dot_rows(const FewRows& f) {
  for_stored_rows(f, [&]<class T, int rows>(int64_t row) { dot_together<A, T, rows>(f, row); });
}

template <class A>
void weigh_rows(const FewRows& f) {
  for_stored_rows(f, [&]<class T, int rows>(int64_t row) { weigh_together<A, T, rows>(f, row); });
}

}  // namespace nm::impl
