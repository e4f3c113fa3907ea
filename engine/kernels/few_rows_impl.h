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
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c) y[r * static_cast<ptrdiff_t>(f.ldy) + c] = f.alpha * simd::sum<A>(sums[r][c]);
  }
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

// B passes by in blocks of about this many elements, whose columns are all taken before the next block: the tiles but
// the first then find it in the first-level cache. Three queries in V8, keys and values of 64: 1,024 keys, which are in
// the second-level cache, 17.1 us where the whole matrix tile by tile took 18.9; 90 times 2,048, which are in none, 92
// us each instead of 80, but 73 when a block is touched line by line before its tiles read it (1,024 keys then
// take 19.2): only lines in their order are fetched ahead.
inline constexpr int64_t weigh_block = 4096;
// Vectors of columns whose sums are kept at a time.
inline constexpr int weigh_vectors = 32;

// Reads something of each line, in the order in which they lie.
template <class A, class T>
void touch(const T* b, ptrdiff_t ldb, ptrdiff_t rows, ptrdiff_t columns) {
  constexpr auto line = static_cast<ptrdiff_t>(64 / sizeof(T));
  for (ptrdiff_t i = 0; i < rows; ++i, b += ldb) {
    for (ptrdiff_t n = 0; n < columns; n += line) static_cast<void>(*static_cast<const volatile T*>(b + n));
  }
}

// Adds `depth` rows of B, from `b` on, to the sums of `width` vectors; of a single one only `last` lanes are there.
template <class A, class T, int rows, int width>
[[gnu::noinline]] void weigh_tile(const float* x, ptrdiff_t ldx, const T* b, ptrdiff_t ldb, ptrdiff_t depth,
                                  vf<A>* kept, int64_t last) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const simd::Widener<A, T> widen;
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
      const vf<A> vb = width > 1 || last == w ? widen(b + v * w) : widen.tail(b, last);
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

// Adds a block of B to the sums of `columns` columns.
template <class A, class T, int rows>
void weigh_columns(const float* x, ptrdiff_t ldx, const T* b, ptrdiff_t ldb, ptrdiff_t depth, vf<A>* kept,
                   int64_t columns) {
  constexpr int width = few_rows_width<rows>(), w = simd::lanes<A>;
  int64_t v = 0;
  for (int64_t whole = columns / w; v < whole;) {
    const int64_t rest = whole - v;
    if (rest >= width && rest != width + 1) {
      weigh_tile<A, T, rows, width>(x, ldx, b + v * w, ldb, depth, kept + v, w);
      v += width;
    } else if (rest >= 2) {  // of four two and two, for one alone waits for each sum before it
      weigh_tile<A, T, rows, 2>(x, ldx, b + v * w, ldb, depth, kept + v, w);
      v += 2;
    } else {
      weigh_tile<A, T, rows, 1>(x, ldx, b + v * w, ldb, depth, kept + v, w);
      v += 1;
    }
  }
  if (v * w < columns) weigh_tile<A, T, rows, 1>(x, ldx, b + v * w, ldb, depth, kept + v, columns - v * w);
}

template <class A, class T, int rows>
void weigh_together(const FewRows& f, int64_t row) {
  constexpr int64_t w = simd::lanes<A>;
  const float* x = f.x + row * f.ldx;
  const int64_t chain = row_chain(f.k);
  for (int64_t n = 0; n < f.n; n += weigh_vectors * w) {
    const int64_t columns = lesser(weigh_vectors * w, f.n - n), vectors = (columns + w - 1) / w;
    const int64_t block = lesser(chain, 1 + weigh_block / columns);
    LongSum<A> total[rows][weigh_vectors];
    for (int64_t begin = 0; begin < f.k; begin += chain) {
      vf<A> sums[rows * weigh_vectors];
      for (vf<A>& sum : sums) sum = vf<A>(0.f);
      const int64_t end = lesser(f.k, begin + chain);
      for (int64_t i = begin; i < end; i += block) {
        const T* b = static_cast<const T*>(f.b) + i * f.ldb + n;
        const int64_t depth = lesser(block, end - i);
        if constexpr (rows > 1) touch<A>(b, f.ldb, depth, columns);  // one row takes whole lines at once
        weigh_columns<A, T, rows>(x + i, f.ldx, b, f.ldb, depth, sums, columns);
      }
      for (int r = 0; r < rows; ++r) {
        for (int64_t v = 0; v < vectors; ++v) total[r][v].add(sums[r * weigh_vectors + v]);
      }
    }
    for (int r = 0; r < rows; ++r) {
      float* y = f.y + (row + r) * f.ldy + n;
      for (int64_t v = 0; v < vectors; ++v) {
        simd::store_up_to<A>(y + v * w, f.alpha * total[r][v].value(), lesser(w, columns - v * w));
      }
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
