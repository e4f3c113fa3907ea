// The register tile that matrix products and convolutions share: sums over taps, each a run of `depth` products
// between MR rows of activations and one panel of packed weights. A matrix product has one tap.
#pragma once
#include <cstdint>

#include "engine/kernels/elementwise_impl.h"
#include "engine/kernels/epilogue.h"
#include "engine/kernels/policy.h"

namespace nm::impl {

struct TileJob {
  const float* const* rows = nullptr;  // taps × MR starts of runs
  int64_t taps = 1;
  int64_t depth = 0;
  int64_t offset = 0;             // added to every start
  const float* spread = nullptr;  // what spread_rows made of the rows: then rows, taps and offset are not read
  const float* b = nullptr;       // the panel: taps·depth × (nv·lanes)
  float* c = nullptr;
  int64_t ldc = 0;
  int64_t columns = 0;  // of the panel that exist in C
  // This many panels one after another, panel_stride floats apart; all but the last are whole.
  int64_t panels = 1;
  int64_t panel_stride = 0;
  // Products cut along K: all but the first part start from C, all but the last leave raw sums there.
  bool first = true, last = true;
  // bias and residual already point at this tile's first column and row.
  const float* bias = nullptr;
  const float* residual = nullptr;
  int64_t ldr = 0;
  const Epilogue* epilogue = nullptr;
};

// Whether the epilogue is a pair of bounds, which the tile applies in registers.
inline constexpr bool is_bounds(Unary f) { return f == Unary::Copy || f == Unary::Relu || f == Unary::Clip; }

template <class A>
struct Bounds {
  vf<A> low, high;
  explicit Bounds(const Epilogue& e)
      : low(e.activation == Unary::Copy   ? -std::numeric_limits<float>::infinity()
            : e.activation == Unary::Relu ? 0.f
                                          : e.a),
        high(e.activation == Unary::Clip ? e.b : std::numeric_limits<float>::infinity()) {}
  vf<A> operator()(vf<A> v) const { return simd::clamp<A>(v, low, high); }
};

// Adds bias and residual to `rows` × `width` raw sums, activates and stores `job.columns` of each row.
template <class A>
[[gnu::noinline]] void finish_slowly(const TileJob& job, float* sums, int64_t rows, int64_t width) {
  const Epilogue& e = *job.epilogue;
  const int64_t n = job.columns;
  for (int64_t r = 0; r < rows; ++r) {
    float* s = sums + r * width;
    if (!job.first) binary_vv<A>(Binary::Add, s, job.c + r * job.ldc, s, n);
    if (job.last && job.bias) binary_vv<A>(Binary::Add, s, job.bias, s, n);
    if (job.first && job.residual && !e.residual_last) {
      binary_vv<A>(Binary::Add, s, job.residual + r * job.ldr, s, n);
    }
  }
  if (job.last) unary<A>(e.activation, sums, sums, rows * width, e.a, e.b);
  for (int64_t r = 0; r < rows; ++r) {
    float* s = sums + r * width;
    if (job.last && job.residual && e.residual_last) {
      binary_vv<A>(Binary::Add, s, job.residual + r * job.ldr, s, n);
    }
    unary<A>(Unary::Copy, s, job.c + r * job.ldc, n, 0, 0);
  }
}

// Activates sums that have their bias, adds a residual that comes last, and stores whole vectors.
template <class A>
[[gnu::noinline]] void activate_tile(const TileJob& job, float* sums, int rows, int vectors) {
  constexpr int W = simd::lanes<A>;
  const Epilogue& e = *job.epilogue;
  unary<A>(e.activation, sums, sums, rows * vectors * W, e.a, e.b);
  const bool add = job.residual && e.residual_last;
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v, sums += W) {
      vf<A> sum = simd::load<A>(sums);
      if (add) sum = sum + simd::load<A>(job.residual + r * job.ldr + v * W);
      simd::store<A>(job.c + r * job.ldc + v * W, sum);
    }
  }
}

// The epilogue of whole panels in registers but for activations that need more, of parts of panels slowly. Must be
// inlined: sums whose address leaves a function live in memory throughout it.
template <class A, int MR, int NV>
[[gnu::always_inline]] inline void finish_tile(const TileJob& job, vf<A> (&acc)[MR][NV]) {
  constexpr int W = simd::lanes<A>;
  const Epilogue& e = *job.epilogue;
  const bool bounds = is_bounds(e.activation) && !(e.residual_last && job.residual);
  const ptrdiff_t ldc = static_cast<ptrdiff_t>(job.ldc);
  const auto spill = [&](float* sums) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) simd::store<A>(sums + (r * NV + v) * W, acc[r][v]);
    }
  };
  if (job.columns != NV * W) {
    float sums[MR * NV * W];
    spill(sums);
    return finish_slowly<A>(job, sums, MR, NV * W);
  }
  const bool residual_first = job.residual && !e.residual_last;
  if (!job.first || residual_first) {
    const float* init = job.first ? job.residual : job.c;
    const ptrdiff_t ld = job.first ? static_cast<ptrdiff_t>(job.ldr) : ldc;
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r, init += ld) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[r][v] = acc[r][v] + simd::load<A>(init + v * W);
    }
  }
  if (job.last) {
    if (job.bias) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) {
        const vf<A> bias = simd::load<A>(job.bias + v * W);
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) acc[r][v] = acc[r][v] + bias;
      }
    }
    if (!bounds) {
      float sums[MR * NV * W];
      spill(sums);
      return activate_tile<A>(job, sums, MR, NV);
    }
    if (e.activation != Unary::Copy) {
      const Bounds<A> clamp(e);
#pragma GCC unroll 16
      for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) acc[r][v] = clamp(acc[r][v]);
      }
    }
  }
  float* c = job.c;
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r, c += ldc) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) simd::store<A>(c + v * W, acc[r][v]);
  }
}

// The rows under a tile, as they are read: for each step of K every row's element, in all lanes of a vector. One
// pointer then serves all rows, at constant distances.
template <class A, int MR>
void spread_rows(const float* const* rows, ptrdiff_t offset, ptrdiff_t depth, float* to) {
  constexpr ptrdiff_t step = MR * simd::lanes<A>;
  for (int r = 0; r < MR; ++r) {
    const float* from = rows[r] + offset;
    float* out = to + r * simd::lanes<A>;
    ptrdiff_t k = depth;
    for (; k >= 4; k -= 4, from += 4, out += 4 * step) {
      const vf<A> four = simd::load<A>(from);
      simd::store<A>(out, simd::splat_lane<A, 0>(four));
      simd::store<A>(out + step, simd::splat_lane<A, 1>(four));
      simd::store<A>(out + 2 * step, simd::splat_lane<A, 2>(four));
      simd::store<A>(out + 3 * step, simd::splat_lane<A, 3>(four));
    }
    for (; k > 0; --k, ++from, out += step) simd::store<A>(out, simd::splat_load<A>(from));
  }
}

template <class A, int MR, int NV>
[[gnu::always_inline]] inline void run_spread_panel(const TileJob& job) {
  constexpr int W = simd::lanes<A>;
  using V = vf<A>;
  V acc[MR][NV];
#pragma GCC unroll 16
  for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[r][v] = V(0.f);
  }
  const float *a = job.spread, *b = job.b;
  // Written out, it spills: LLVM then adds two steps to one sum after the other.
#pragma GCC unroll 1
  for (ptrdiff_t k = static_cast<ptrdiff_t>(job.depth); k > 0; --k, a += MR * W, b += NV * W) {
    V vb[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) vb[v] = simd::load<A>(b + v * W);
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
      const V va = simd::load<A>(a + r * W);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[r][v] = simd::madd<A>(va, vb[v], acc[r][v]);
    }
  }
  finish_tile<A, MR, NV>(job, acc);
}

template <class A, int MR, int NV>
[[gnu::always_inline]] inline void run_panel(const TileJob& job) {
  constexpr int W = simd::lanes<A>;
  // Fewer sums than hide the latency of a multiply-add (4 cycles on 2 ports): several sets take turns along K.
  constexpr int sets = MR * NV >= 8 || W == 1 ? 1 : MR * NV >= 4 ? 2 : 4;
  using V = vf<A>;
  V acc[sets][MR][NV];
#pragma GCC unroll 4
  for (int s = 0; s < sets; ++s) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[s][r][v] = V(0.f);
    }
  }
  const float* b = job.b;
  const ptrdiff_t depth = static_cast<ptrdiff_t>(job.depth);  // the machine's word: cheap addresses in wasm
  const ptrdiff_t taps = static_cast<ptrdiff_t>(job.taps), offset = static_cast<ptrdiff_t>(job.offset);
  const float* const* rows = job.rows;
  for (ptrdiff_t t = 0; t < taps; ++t, rows += MR) {
    const float* a[MR];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) a[r] = rows[r] + offset;
    const auto step = [&](ptrdiff_t k, V(&sums)[MR][NV]) __attribute__((always_inline)) {
      V vb[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) vb[v] = simd::load<A>(b + v * W);
      b += NV * W;
#pragma GCC unroll 16
      for (int r = 0; r < MR; ++r) {
        const V va = simd::splat_load<A>(a[r] + k);
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) sums[r][v] = simd::madd<A>(va, vb[v], sums[r][v]);
      }
    };
    ptrdiff_t k = 0;
    if constexpr (sets > 1) {
      for (; k + sets <= depth; k += sets) {
#pragma GCC unroll 4
        for (int s = 0; s < sets; ++s) step(k + s, acc[s]);
      }
    }
    for (; k < depth; ++k) step(k, acc[0]);
  }
#pragma GCC unroll 4
  for (int s = 1; s < sets; ++s) {
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[0][r][v] = acc[0][r][v] + acc[s][r][v];
    }
  }
  finish_tile<A, MR, NV>(job, acc[0]);
}

// Adds `depth` products of a row to the sums of P panels that are `stride` floats apart. By itself a panel's two
// vectors of sums wait for each other, and each element of the row is loaded for two products. A function of its own,
// so that few addresses are live in its loop: within the tile SpiderMonkey kept some on the stack. 1×768×768, relaxed
// SIMD: panel by panel 25 GFLOP/s, four together within the tile 33 in V8 and 15 in SpiderMonkey, four together here 34
// and 31.
template <class A, int NV, int P>
[[gnu::noinline]] void add_panels_of_row(const float* a, const float* b, ptrdiff_t stride, ptrdiff_t depth,
                                         float* sums) {
  constexpr int W = simd::lanes<A>;
  using V = vf<A>;
  V acc[P][NV];
  const float* panels[P];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
    panels[p] = b + p * stride;
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[p][v] = simd::load<A>(sums + (p * NV + v) * W);
  }
  ptrdiff_t at = 0;
  for (ptrdiff_t k = 0; k < depth; ++k, at += NV * W) {
    const V va = simd::splat_load<A>(a + k);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[p][v] = simd::madd<A>(va, simd::load<A>(panels[p] + at + v * W), acc[p][v]);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) simd::store<A>(sums + (p * NV + v) * W, acc[p][v]);
  }
}

// One row times P whole panels at once.
template <class A, int NV, int P>
void run_panels_of_row(const TileJob& given) {
  constexpr int W = simd::lanes<A>, nr = NV * W;
  float sums[P * nr] = {};
  const ptrdiff_t depth = static_cast<ptrdiff_t>(given.depth), stride = static_cast<ptrdiff_t>(given.panel_stride);
  const float* b = given.b;
  for (ptrdiff_t t = 0; t < static_cast<ptrdiff_t>(given.taps); ++t, b += depth * nr) {
    add_panels_of_row<A, NV, P>(given.rows[t] + static_cast<ptrdiff_t>(given.offset), b, stride, depth, sums);
  }
  TileJob job = given;
  job.columns = nr;
  for (int p = 0; p < P; ++p) {
    vf<A> acc[1][NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[0][v] = simd::load<A>(sums + (p * NV + v) * W);
    finish_tile<A, 1, NV>(job, acc);
    job.c += nr;
    if (job.bias) job.bias += nr;
    if (job.residual) job.residual += nr;
  }
}

// Panels are walked in here: with a short depth a call per panel costs as much as its products.
template <class A, int MR, int NV, bool spread = false>
void run_tile(const TileJob& given) {
  constexpr int nr = NV * simd::lanes<A>;
  TileJob job = given;
  const auto advance = [&](int panels) {
    job.panels -= panels;
    job.b += panels * static_cast<ptrdiff_t>(job.panel_stride);
    job.c += panels * nr;
    if (job.bias) job.bias += panels * nr;
    if (job.residual) job.residual += panels * nr;
  };
  if constexpr (MR == 1 && NV == Tile<A>::nv && !spread && simd::lanes<A> != 1) {
    static_assert(panel_block<A> % row_panels == 0);
    const bool whole = given.columns == nr;  // the last one
    for (; job.panels > row_panels || (job.panels == row_panels && whole); advance(row_panels)) {
      run_panels_of_row<A, NV, row_panels>(job);
    }
    if (job.panels == 0) return;
  }
  while (true) {
    job.columns = job.panels > 1 ? nr : given.columns;
    if constexpr (spread) {
      run_spread_panel<A, MR, NV>(job);
    } else {
      run_panel<A, MR, NV>(job);
    }
    if (job.panels == 1) return;
    advance(1);
  }
}

using TileFunction = void (*)(const TileJob&);

template <class A, int NV, int... MR>
struct TileFunctions {
  static constexpr TileFunction table[] = {run_tile<A, MR, NV>...};
};
template <class A, int NV, int... I>
constexpr const TileFunction* tile_functions(std::integer_sequence<int, I...>) {
  return TileFunctions<A, NV, I + 1 ...>::table;
}

// The tile for `rows` (1 … mr) and `vectors` (of Panels) of C.
template <class A>
TileFunction tile_for(int rows, [[maybe_unused]] int vectors) {
  using Rows = std::make_integer_sequence<int, Tile<A>::mr>;
  constexpr int nv = Tile<A>::nv;
  constexpr const TileFunction* whole = tile_functions<A, nv>(Rows{});
  if constexpr (simd::lanes<A> != 1) {
    if (vectors < nv) return tile_functions<A, nv - 1>(Rows{})[rows - 1];
  }
  return whole[rows - 1];
}

// The tile for mr spread rows.
template <class A>
TileFunction spread_tile_for(int vectors) {
  constexpr int mr = Tile<A>::mr;
  static constexpr TileFunction by_vectors[] = {run_tile<A, mr, 1, true>, run_tile<A, mr, 2, true>};
  return by_vectors[vectors - 1];
}

// Packed B is panels of nr columns; the last is as many vectors wide as its columns need, but where vectors are single
// numbers.
template <class A>
struct Panels {
  int64_t n, k;
  int64_t count() const { return (n + Tile<A>::nr - 1) / Tile<A>::nr; }
  int64_t columns(int64_t panel) const {
    const int64_t rest = n - panel * Tile<A>::nr;
    return rest < Tile<A>::nr ? rest : Tile<A>::nr;
  }
  int vectors(int64_t panel) const {
    if (simd::lanes<A> == 1) return Tile<A>::nv;
    return static_cast<int>((columns(panel) + simd::lanes<A> - 1) / simd::lanes<A>);
  }
  int64_t width(int64_t panel) const { return vectors(panel) * simd::lanes<A>; }
  int64_t offset(int64_t panel) const { return panel * Tile<A>::nr * k; }
  int64_t size() const { return count() == 0 ? 0 : offset(count() - 1) + width(count() - 1) * k; }
};

}  // namespace nm::impl
