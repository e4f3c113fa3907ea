// Few rows times a matrix that lies as it is, which is read once for all of them: a decoder's queries, their scores.
#pragma once
#include "engine/kernels/gemm.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/long_sum.h"

namespace nm::impl {

// How many rows or vectors of B one row or three meet at a time: sums, the rows' elements and one vector of B have to
// fit 16 registers. With tiles for two and four rows as well eight rows were a fifth faster (46 against
// 39 GFLOP/s in V8), for 10 KB more.
template <int rows>
constexpr int few_rows_width() {
  return rows == 1 ? 8 : 3;
}

// Addresses are of the machine's word, which are cheap in WebAssembly.
template <class A, int rows, int columns>
[[gnu::noinline]] void dot_tile(const FewRows& f, const float* x, const float* b, float* y) {
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
  ptrdiff_t i = 0;
  for (; i + w <= depth; i += w) {
    vf<A> vx[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) vx[r] = simd::load<A>(from[r] + i);
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) {
      const vf<A> vb = simd::load<A>(line[c] + i);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) sums[r][c] = simd::madd<A>(vx[r], vb, sums[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) y[r * static_cast<ptrdiff_t>(f.ldy) + c] = f.alpha * simd::sum<A>(sums[r][c]);
  }
  // One piece of code for all sums: written out, and with vectors of a part of their lanes, it took 7 KB.
#pragma GCC unroll 1
  for (int64_t rest = i < depth ? rows : 0; rest > 0; --rest, x += f.ldx, y += f.ldy) {
    const float* row = b;
#pragma GCC unroll 1
    for (int c = 0; c < columns; ++c, row += f.ldb) {
#pragma GCC unroll 1
      for (ptrdiff_t k = i; k < depth; ++k) y[c] += f.alpha * x[k] * row[k];
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
  for (; n < f.n; ++n) {
    for (int r = 0; r < rows; ++r) dot_tile<A, 1, 1>(f, x + r * f.ldx, f.b + n * f.ldb, y + r * f.ldy + n);
  }
}

// B passes by in blocks of about this many floats, whose columns are all taken before the next block: the tiles but the
// first then find it in the first-level cache. Three queries of 2,048 keys of 64 in V8: 17.1 us for 1,024 keys that are
// in the second-level cache where the whole matrix tile by tile took 18.9, but 92 us instead of 80 for 2,048 that are
// in none, and 73 when a block is touched line by line before its tiles read it (19.2 in the cache): only lines in
// their order are fetched ahead.
inline constexpr int64_t weigh_block = 4096;
// Vectors of columns whose sums are kept at a time.
inline constexpr int weigh_vectors = 32;

// Adds `depth` rows of B, from `b` on, to the sums of `width` vectors; of a single one only `last` lanes are there.
template <class A, int rows, int width>
[[gnu::noinline]] void weigh_tile(const float* x, ptrdiff_t ldx, const float* b, ptrdiff_t ldb, ptrdiff_t depth,
                                  vf<A>* kept, int64_t last) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const float* from[rows];
  vf<A> sums[rows][width];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    from[r] = x + r * ldx;
#pragma GCC unroll 8
    for (int v = 0; v < width; ++v) sums[r][v] = kept[r * weigh_vectors + v];
  }
  for (ptrdiff_t i = 0; i < depth; ++i, b += ldb) {
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
    for (int v = 0; v < width; ++v) kept[r * weigh_vectors + v] = sums[r][v];
  }
}

// Reads something of each line, in the order in which they lie.
template <class A>
void touch(const float* b, ptrdiff_t ldb, ptrdiff_t rows, ptrdiff_t columns) {
  for (ptrdiff_t i = 0; i < rows; ++i, b += ldb) {
    for (ptrdiff_t n = 0; n < columns; n += 16) static_cast<void>(*static_cast<const volatile float*>(b + n));
  }
}

// Adds a block of B to the sums of `columns` columns.
template <class A, int rows>
void weigh_columns(const float* x, ptrdiff_t ldx, const float* b, ptrdiff_t ldb, ptrdiff_t depth, vf<A>* kept,
                   int64_t columns) {
  constexpr int width = few_rows_width<rows>(), w = simd::lanes<A>;
  int64_t v = 0;
  for (int64_t whole = columns / w; v < whole;) {
    const int64_t rest = whole - v;
    if (rest >= width && rest != width + 1) {
      weigh_tile<A, rows, width>(x, ldx, b + v * w, ldb, depth, kept + v, w);
      v += width;
    } else if (rest >= 2) {  // of four two and two, for one alone waits for each sum before it
      weigh_tile<A, rows, 2>(x, ldx, b + v * w, ldb, depth, kept + v, w);
      v += 2;
    } else {
      weigh_tile<A, rows, 1>(x, ldx, b + v * w, ldb, depth, kept + v, w);
      v += 1;
    }
  }
  if (v * w < columns) weigh_tile<A, rows, 1>(x, ldx, b + v * w, ldb, depth, kept + v, columns - v * w);
}

template <class A, int rows>
void weigh_together(const FewRows& f, int64_t row) {
  constexpr int64_t w = simd::lanes<A>;
  const float* x = f.x + row * f.ldx;
  const int64_t chain = row_chain(f.k);
  for (int64_t n = 0; n < f.n; n += weigh_vectors * w) {
    const int64_t columns = lesser(weigh_vectors * w, f.n - n), vectors = (columns + w - 1) / w;
    const int64_t block = lesser(chain, 1 + weigh_block / columns);
    LongSum<A> total[rows][weigh_vectors];
    for (int64_t begin = 0; begin < f.k;) {
      vf<A> sums[rows * weigh_vectors];
      for (vf<A>& sum : sums) sum = vf<A>(0.f);
      const int64_t end = lesser(f.k, begin + chain);
      for (int64_t i = begin; i < end; i += block) {
        const float* b = f.b + i * f.ldb + n;
        const int64_t depth = lesser(block, end - i);
        touch<A>(b, f.ldb, depth, columns);
        weigh_columns<A, rows>(x + i, f.ldx, b, f.ldb, depth, sums, columns);
      }
      for (int r = 0; r < rows; ++r) {
        for (int64_t v = 0; v < vectors; ++v) total[r][v].add(sums[r * weigh_vectors + v]);
      }
      begin = end;
    }
    for (int r = 0; r < rows; ++r) {
      float* y = f.y + (row + r) * f.ldy + n;
      for (int64_t v = 0; v < vectors; ++v) {
        simd::store_up_to<A>(y + v * w, f.alpha * total[r][v].value(), lesser(w, columns - v * w));
      }
    }
  }
}

// f.template operator()<rows>(row) for as many rows together as there may be.
template <class F>
void for_rows_together(int64_t m, F f) {
  int64_t row = 0;
  for (; row + 3 <= m; row += 3) f.template operator()<3>(row);
  for (; row < m; ++row) f.template operator()<1>(row);
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
