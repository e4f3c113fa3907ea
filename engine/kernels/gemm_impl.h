#pragma once
#include "engine/kernels/few_rows_impl.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/long_sum.h"
#include "engine/kernels/pack.h"
#include "engine/kernels/tile.h"

namespace nm::impl {

template <class A>
int64_t gemm_packed_size(int64_t k, int64_t n) {
  return Panels<A>{n, k}.size();
}

// Rows [begin, end) of B into its panels.
template <class A, class Read>
void pack_rows(const Panels<A>& panels, Read read, int64_t row_stride, int64_t col_stride, float scale, float* packed,
               int64_t first_panel, int64_t last_panel) {
  for (int64_t p = first_panel; p < last_panel; ++p) {
    const int64_t width = panels.width(p), columns = panels.columns(p), n0 = p * Tile<A>::nr;
    float* out = packed + panels.offset(p);
    for (int64_t k = 0; k < panels.k; ++k, out += width) {
      const int64_t at = k * row_stride + n0 * col_stride;
      for (int64_t i = 0; i < columns; ++i) out[i] = read(at + i * col_stride) * scale;
      for (int64_t i = columns; i < width; ++i) out[i] = 0;
    }
  }
}

template <class A>
void pack_panels(int64_t k, int64_t n, const void* b, SourceType type, int64_t row_stride, int64_t col_stride,
                 float scale, float* packed, int64_t first_panel, int64_t last_panel) {
  with_reader<A>(b, type, [=](auto read) {
    const Panels<A> panels{n, k};
    if (col_stride == 1) {  // lets the compiler vectorise the copy
      pack_rows<A>(panels, read, row_stride, 1, scale, packed, first_panel, last_panel);
    } else {
      pack_rows<A>(panels, read, row_stride, col_stride, scale, packed, first_panel, last_panel);
    }
  });
}

template <class A>
void gemm_pack_b(int64_t k, int64_t n, const void* b, SourceType type, int64_t row_stride, int64_t col_stride,
                 float scale, float* packed) {
  const int64_t count = Panels<A>{n, k}.count();
  thread_pool::parallel_for(count, thread_pool::chunk(count, k * Tile<A>::nr), [&](int64_t begin, int64_t end, int) {
    pack_panels<A>(k, n, b, type, row_stride, col_stride, scale, packed, begin, end);
  });
}

// The tile of `given` over panels [p0, p1), from row k0 of each. b, c, bias and residual are given for column 0.
template <class A>
void run_panels(const Panels<A>& panels, int64_t p0, int64_t p1, int64_t k0, int rows, const TileJob& given) {
  const auto run = [&](int64_t first, int64_t last) {
    if (first == last) return;
    const int64_t n0 = first * Tile<A>::nr;
    TileJob job = given;
    job.b += panels.offset(first) + k0 * panels.width(first);
    job.panels = last - first;
    job.panel_stride = Tile<A>::nr * panels.k;
    job.columns = panels.columns(last - 1);
    job.c += n0;
    if (job.bias) job.bias += n0;
    if (job.residual) job.residual += n0;
    const int vectors = panels.vectors(first);
    if constexpr (!simd::cheap_splat<A>) {
      if (job.spread) return spread_tile_for<A>(vectors)(job);
    }
    tile_for<A>(rows, vectors)(job);
  };
  // The last panel may be narrower, with a tile of its own and another stride.
  const bool narrow = panels.width(p1 - 1) != Tile<A>::nr;
  run(p0, narrow ? p1 - 1 : p1);
  if (narrow) run(p1 - 1, p1);
}

// Rows [m0, m1) of C, at most m_block of them, times panels [p0, p1).
template <class A>
void gemm_block(const Gemm& g, int64_t m0, int64_t m1, int64_t p0, int64_t p1) {
  constexpr int mr = Tile<A>::mr;
  const Panels<A> panels{g.n, g.k};
  const Epilogue& e = g.epilogue;
  // A residual that is added last and lies in C itself must survive until then: K stays whole.
  const bool whole_k = e.residual && e.residual_last;
  const bool part = g.k1 >= 0;
  const int64_t k_end = part ? g.k1 : g.k;
  const int64_t k_step = whole_k ? greater(g.k, 1) : part ? 2 * kChain : k_block<A>;
  // Rows a multiple of 1 KiB apart fall into few sets of the cache and evict each other while panels pass by: a copy
  // that lies together does not. 1024³ in Node, relaxed-simd, beside a busy sibling core: 32.5 GFLOP/s without, 49
  // with.
  const bool evicting = g.lda % 256 == 0 && !whole_k;
  constexpr int64_t w = simd::lanes<A>;
  alignas(64) float copies[mr * (simd::cheap_splat<A> ? k_block<A> + w : k_block<A> * w)];
  int64_t k0 = g.k0;
  do {
    const int64_t depth = lesser(k_step, k_end - k0);
    TileJob job;
    job.depth = depth;
    job.offset = k0;
    job.b = g.packed_b;
    job.ldc = g.ldc;
    job.first = k0 == g.k0;
    job.last = k0 + depth == k_end;
    job.bias = e.bias;
    job.ldr = e.ldr;
    job.epilogue = &e;
    for (int64_t block = p0; block < p1; block += panel_block<A>) {
      const int64_t block_end = lesser(p1, block + panel_block<A>);
      for (int64_t m = m0; m < m1; m += mr) {
        const int rows = static_cast<int>(lesser(mr, m1 - m));
        const float* starts[mr];
        for (int r = 0; r < rows; ++r) starts[r] = g.a + (m + r) * g.lda;
        job.spread = nullptr;
        if constexpr (!simd::cheap_splat<A>) {
          if (rows == mr && block_end - block >= spread_panels && depth <= k_block<A>) {
            spread_rows<A, mr>(starts, static_cast<ptrdiff_t>(k0), static_cast<ptrdiff_t>(depth), copies);
            job.spread = copies;
          }
        }
        if (evicting && !job.spread && block_end - block >= 4) {
          for (int r = 0; r < rows; ++r) {
            float* copy = copies + r * (k_block<A> + w);
            std::memcpy(copy, starts[r] + k0, static_cast<size_t>(depth) * sizeof(float));
            starts[r] = copy - k0;
          }
        }
        job.rows = starts;
        job.c = g.c + m * g.ldc;
        job.residual = e.residual ? e.residual + m * e.ldr : nullptr;
        run_panels<A>(panels, block, block_end, k0, rows, job);
      }
    }
    k0 += depth;
  } while (k0 < k_end);
}

template <class A>
void gemm_run_rows(const Gemm& g, int64_t begin, int64_t end) {
  const int64_t panels = Panels<A>{g.n, g.k}.count();
  for (int64_t m = begin; m < end; m += m_block<A>) gemm_block<A>(g, m, lesser(m + m_block<A>, end), 0, panels);
}

// A grid of tasks over C: `rows` per task (a multiple of the tile's mr, so that tiles fall alike for any thread count)
// and `panels` per task.
struct TaskGrid {
  int64_t rows, panels, row_tasks, panel_tasks;
  int64_t count() const { return row_tasks * panel_tasks; }
};

// `work`: multiply-adds of a row and a panel.
[[maybe_unused]] static TaskGrid task_grid(int64_t m, int64_t panels, int64_t max_rows, int64_t mr, int64_t work) {
  TaskGrid grid;
  grid.rows = max_rows;
  grid.panels = panels;
  if (thread_pool::size() > 1) {
    const int64_t wanted = thread_pool::chunks(m * panels * work);
    grid.rows = mr * greater(1, lesser(max_rows / mr, divide_up(divide_up(m, mr), wanted)));
    const int64_t row_tasks = divide_up(m, grid.rows);
    if (row_tasks < wanted) {
      // A row that is left over goes through groups of panels, which a cut must not part.
      const int64_t together = m % mr == 1 ? row_panels : 1;
      grid.panels = together * greater(1, divide_up(panels * row_tasks, wanted * together));
    }
  }
  grid.row_tasks = divide_up(m, grid.rows);
  grid.panel_tasks = divide_up(panels, grid.panels);
  return grid;
}

template <class A>
void gemm_run(const Gemm& g) {
  const int64_t panels = Panels<A>{g.n, g.k}.count();
  const TaskGrid grid = task_grid(g.m, panels, m_block<A>, Tile<A>::mr, g.k * Tile<A>::nr);
  thread_pool::parallel_for(grid.count(), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t m0 = task / grid.panel_tasks * grid.rows, p0 = task % grid.panel_tasks * grid.panels;
      gemm_block<A>(g, m0, lesser(m0 + grid.rows, g.m), p0, lesser(p0 + grid.panels, panels));
    }
  });
}

// Columns [n0, n1) of a vector times a row-major matrix: 8 vectors of sums walk down the rows.
template <class A>
void gemv_columns(int64_t k, int64_t n0, int64_t n1, const float* x, const float* b, int64_t ldb, float* y,
                  const Epilogue& e) {
  constexpr int64_t w = simd::lanes<A>, wide = 8 * w;
  const int64_t step = row_chain(k);
  float sums[wide];
  for (int64_t n = n0; n < n1; n += wide) {
    const int64_t columns = lesser(wide, n1 - n);
    if (columns == wide) {
      LongSum<A> total[8];
      const float* row = b + n;
      for (int64_t k0 = 0; k0 < k; k0 += step) {
        const int64_t end = lesser(k, k0 + step);
        vf<A> acc[8];
#pragma GCC unroll 8
        for (int v = 0; v < 8; ++v) acc[v] = vf<A>(0.f);
        for (int64_t i = k0; i < end; ++i, row += ldb) {
          const vf<A> xi = simd::splat_load<A>(x + i);
#pragma GCC unroll 8
          for (int v = 0; v < 8; ++v) acc[v] = simd::madd<A>(xi, simd::load<A>(row + v * w), acc[v]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < 8; ++v) total[v].add(acc[v]);
      }
#pragma GCC unroll 8
      for (int v = 0; v < 8; ++v) simd::store<A>(sums + v * w, total[v].value());
    } else {
      for (int64_t c = 0; c < columns; c += w) {
        const int64_t count = lesser(w, columns - c);
        LongSum<A> total;
        const float* row = b + n + c;
        for (int64_t k0 = 0; k0 < k; k0 += step) {
          const int64_t end = lesser(k, k0 + step);
          vf<A> acc(0.f);
          for (int64_t i = k0; i < end; ++i, row += ldb) {
            const vf<A> vb = count == w ? simd::load<A>(row) : simd::load_tail<A>(row, count);
            acc = simd::madd<A>(simd::splat_load<A>(x + i), vb, acc);
          }
          total.add(acc);
        }
        simd::store<A>(sums + c, total.value());
      }
      for (int64_t c = columns; c < wide; ++c) sums[c] = 0;
    }
    TileJob job;
    job.c = y + n;
    job.columns = columns;
    job.bias = e.bias ? e.bias + n : nullptr;
    job.residual = e.residual ? e.residual + n : nullptr;
    job.epilogue = &e;
    finish_slowly<A>(job, sums, 1, wide);
  }
}

template <class A>
void gemm_gemv(int64_t k, int64_t n, const float* x, const float* b, int64_t ldb, float* y, const Epilogue& e) {
  constexpr int64_t wide = 8 * simd::lanes<A>;
  const int64_t blocks = divide_up(n, wide);
  thread_pool::parallel_for(blocks, thread_pool::chunk(blocks, k * wide), [&](int64_t begin, int64_t end, int) {
    gemv_columns<A>(k, begin * wide, lesser(end * wide, n), x, b, ldb, y, e);
  });
}

template <class A>
int64_t gemm_batched_scratch_size(const BatchedGemm& g) {
  return gemm_packed_size<A>(g.k, g.n) * thread_pool::size();
}

template <class A>
void gemm_run_batched(const BatchedGemm& g, float* scratch) {
  const int64_t size = gemm_packed_size<A>(g.k, g.n);
  const auto matrix = [&](int64_t i, float* packed) {
    Gemm one;
    one.m = g.m;
    one.n = g.n;
    one.k = g.k;
    one.a = g.a + g.a_offsets[i];
    one.lda = g.lda;
    one.packed_b = packed;
    one.c = g.c + g.c_offsets[i];
    one.ldc = g.ldc;
    one.epilogue = g.epilogue;
    if (one.epilogue.residual) one.epilogue.residual += g.c_offsets[i];
    return one;
  };
  const auto pack = [&](int64_t i, float* packed, int64_t p0, int64_t p1) {
    pack_panels<A>(g.k, g.n, g.b + g.b_offsets[i], SourceType::F32, g.b_row_stride, g.b_col_stride, g.alpha, packed, p0,
                   p1);
  };
  const int64_t panels = Panels<A>{g.n, g.k}.count();
  if (g.batch >= 2 * thread_pool::size() || thread_pool::size() == 1) {  // whole matrices per thread
    thread_pool::parallel_for(g.batch, thread_pool::chunk(g.batch, g.m * g.n * g.k),
                              [&](int64_t begin, int64_t end, int thread) {
                                float* packed = scratch + thread * size;
                                for (int64_t i = begin; i < end; ++i) {
                                  if (i == begin || g.b_offsets[i] != g.b_offsets[i - 1]) pack(i, packed, 0, panels);
                                  gemm_run_rows<A>(matrix(i, packed), 0, g.m);
                                }
                              });
    return;
  }
  for (int64_t i = 0; i < g.batch; ++i) {
    if (i == 0 || g.b_offsets[i] != g.b_offsets[i - 1]) {
      thread_pool::parallel_for(panels, thread_pool::chunk(panels, g.k * Tile<A>::nr),
                                [&](int64_t begin, int64_t end, int) { pack(i, scratch, begin, end); });
    }
    gemm_run<A>(matrix(i, scratch));
  }
}

template <class A>
constexpr GemmKernels gemm_kernels() {
  return {
      .packed_size = gemm_packed_size<A>,
      .pack_b = gemm_pack_b<A>,
      .run = gemm_run<A>,
      .run_rows = gemm_run_rows<A>,
      .gemv = gemm_gemv<A>,
      .dot_rows = dot_rows<A>,
      .weigh_rows = weigh_rows<A>,
      .batched_scratch_size = gemm_batched_scratch_size<A>,
      .run_batched = gemm_run_batched<A>,
  };
}

}  // namespace nm::impl
