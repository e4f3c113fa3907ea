// Convolution as an indirect matrix product: for each tile of output pixels and each tap of the kernel, pointers to the
// input pixels take the place of im2col; taps in the padding point at zeros kept behind the packed weights.
#pragma once
#include "engine/base/selection.h"
#include "engine/kernels/conv.h"
#include "engine/kernels/conv_transposed_impl.h"
#include "engine/kernels/depthwise_impl.h"
#include "engine/kernels/gemm_impl.h"
#include "engine/kernels/winograd_impl.h"

namespace nm::impl {

// The forms that a shape's packed weights have. A reduced build may lack them, and then takes the general one. Hosts
// without SIMD are short of memory before they are of time, and Winograd's weights are four times as large.
template <class A>
inline constexpr bool has_winograd = selection::has<selection::Part::Winograd>&& simd::lanes<A> > 1;
template <class A>
bool takes_winograd(const ConvShape& s) {
  return has_winograd<A> && s.winograd;
}
template <class A>
bool takes_depthwise(const ConvShape& s) {
  return selection::has<selection::Part::Depthwise> && is_depthwise(s);
}
// A matrix product over pixels as they lie.
[[maybe_unused]] static bool is_pointwise(const ConvShape& s) {
  return s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 && s.stride_w == 1 && s.pad_top == 0 &&
         s.pad_left == 0 && s.groups == 1 && s.out_h == s.in_h && s.out_w == s.in_w;
}

// 3×3 in Node, relaxed-simd, ms direct and Winograd: 56²×64 4.2, 1.4; 28²×128 4.1, 1.2; 14²×256 4.1, 1.5; 112²×16 1.25,
// 0.75; but 7²×512, whose 36 MiB of weights serve four tiles, 4.6, 5.5.
template <class A>
bool conv_prefers_winograd(const ConvShape& s) {
  if (!has_winograd<A>) return false;
  if (s.kernel_h != 3 || s.kernel_w != 3 || s.stride_h != 1 || s.stride_w != 1) return false;
  constexpr int64_t channels = simd::lanes<A> < 8 ? 8 : simd::lanes<A>;
  if (s.groups != 1 || s.in_c < channels || s.out_c < channels) return false;
  if (s.out_h < 0 || s.out_w < 0) return true;
  ConvShape sized = s;
  sized.batch = greater(s.batch, 1);
  const int64_t tiles = WinogradTiles<A>(sized, 1).count;
  // Under a large dilation tiles may be mostly empty.
  return tiles >= 9 && sized.batch * s.out_h * s.out_w > 6 * tiles;
}

template <class A>
struct ConvPacking {
  explicit ConvPacking(const ConvShape& s)
      : taps(s.kernel_h * s.kernel_w),
        in_c(s.in_c / s.groups),
        out_c(s.out_c / s.groups),
        panels{out_c, taps * in_c},
        group_size(panels.size()),
        zeros(group_size * s.groups),
        size(zeros + s.kernel_w * in_c) {}
  int64_t taps, in_c, out_c;  // of one group
  Panels<A> panels;
  int64_t group_size;
  int64_t zeros;  // where the zeros start
  int64_t size;
};

template <class A>
int64_t conv_packed_size(const ConvShape& s) {
  if (takes_winograd<A>(s)) return winograd_packed_size<A>(s);
  return takes_depthwise<A>(s) ? depthwise_packed_size<A>(s) : ConvPacking<A>(s).size;
}

// K runs over taps, then channels of the group.
template <class A>
void conv_pack(const ConvShape& s, const void* weights, SourceType type, const float* scale, float* packed) {
  if (takes_winograd<A>(s)) return winograd_pack<A>(s, weights, type, scale, packed);
  if (takes_depthwise<A>(s)) return depthwise_pack<A>(s, weights, type, scale, packed);
  const ConvPacking<A> packing(s);
  with_reader<A>(weights, type, [&](auto read) {
    thread_pool::parallel_for(s.groups * packing.panels.count(), 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t g = task / packing.panels.count(), p = task % packing.panels.count();
        const int64_t width = packing.panels.width(p), columns = packing.panels.columns(p);
        float* panel = packed + g * packing.group_size + packing.panels.offset(p);
        for (int64_t i = 0; i < width; ++i) {
          const int64_t o = g * packing.out_c + p * Tile<A>::nr + i;
          const float factor = i < columns && scale ? scale[o] : 1.f;
          for (int64_t c = 0; c < packing.in_c; ++c) {
            for (int64_t t = 0; t < packing.taps; ++t) {
              panel[(t * packing.in_c + c) * width + i] =
                  i < columns ? read((o * packing.in_c + c) * packing.taps + t) * factor : 0.f;
            }
          }
        }
      }
    });
  });
  for (int64_t i = packing.zeros; i < packing.size; ++i) packed[i] = 0;
}

// How the taps of a shape become runs of the register tile.
struct ConvRuns {
  // With few channels a whole row of the kernel is one run, contiguous in a dense image; where it crosses the left or
  // right border it is gathered into a patch.
  bool merged;
  int64_t count, depth;
  int64_t rows;      // output pixels per block
  int64_t pointers;  // per block, in floats of scratch
  int64_t patches;   // per block, floats
  int64_t scratch() const { return pointers + patches; }
};

template <class A>
ConvRuns conv_runs(const ConvShape& s, int64_t ldx) {
  constexpr int64_t mr = Tile<A>::mr;
  ConvRuns r;
  const int64_t in_c = s.in_c / s.groups;
  r.merged = s.groups == 1 && s.dilation_w == 1 && s.kernel_w > 1 && ldx == s.in_c && s.kernel_w * in_c <= 64;
  r.count = r.merged ? s.kernel_h : s.kernel_h * s.kernel_w;
  r.depth = r.merged ? s.kernel_w * in_c : in_c;
  // A panel of weights is read once per block: as many tiles as keep the pointers within 16 KiB, 8 at least.
  constexpr int64_t pointer_floats = sizeof(const float*) / sizeof(float);
  const int64_t tiles = greater(8, lesser(conv_tiles, 4096 / (pointer_floats * r.count * mr)));
  r.rows = tiles * mr;
  r.pointers = r.rows * r.count * pointer_floats;
  r.patches = r.merged ? r.rows * r.count * r.depth : 0;
  return r;
}

template <class A>
int64_t conv_scratch_size(const ConvShape& s) {
  if (takes_winograd<A>(s)) return winograd_scratch_size<A>(s);
  if (takes_depthwise<A>(s) || is_pointwise(s)) return 0;
  // Whether the image is dense is not known yet: enough for either way.
  return greater(conv_runs<A>(s, s.in_c).scratch(), conv_runs<A>(s, s.in_c + 1).scratch()) * thread_pool::size() + 2;
}

// Fills `starts` with the input runs of the output pixels [m0, m1), tile by tile: [tile][run][row of tile].
template <class A>
void conv_pointers(const ConvShape& s, const ConvRuns& runs, const float* x, int64_t ldx, const float* zeros,
                   int64_t m0, int64_t m1, const float** starts, float* patches) {
  constexpr int64_t mr = Tile<A>::mr;
  int64_t ox = m0 % s.out_w, oy = m0 / s.out_w % s.out_h, image = m0 / (s.out_w * s.out_h);
  for (int64_t m = m0; m < m1; ++m) {
    const int64_t tile = (m - m0) / mr, rows = lesser(mr, m1 - m0 - tile * mr), r = m - m0 - tile * mr;
    const float** out = starts + tile * mr * runs.count + r;
    const float* base = x + image * s.in_h * s.in_w * ldx;
    const int64_t ix0 = ox * s.stride_w - s.pad_left;
    for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
      const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const bool row_inside = iy >= 0 && iy < s.in_h;
      const float* row = base + iy * s.in_w * ldx;
      if (!runs.merged) {
        for (int64_t kx = 0; kx < s.kernel_w; ++kx, out += rows) {
          const int64_t ix = ix0 + kx * s.dilation_w;
          *out = row_inside && ix >= 0 && ix < s.in_w ? row + ix * ldx : zeros;
        }
        continue;
      }
      if (!row_inside) {
        *out = zeros;
      } else if (ix0 >= 0 && ix0 + s.kernel_w <= s.in_w) {
        *out = row + ix0 * ldx;
      } else {
        const IndexRange in = inside(ix0, 1, s.kernel_w, s.in_w);
        for (int64_t i = 0; i < runs.depth; ++i) {
          patches[i] = i >= in.begin * s.in_c && i < in.end * s.in_c ? row[ix0 * s.in_c + i] : 0.f;
        }
        *out = patches;
        patches += runs.depth;
      }
      out += rows;
    }
    if (++ox == s.out_w) {
      ox = 0;
      if (++oy == s.out_h) {
        oy = 0;
        ++image;
      }
    }
  }
}

// The whole tiles among output pixels [m0, m1) for panels [p0, p1), their rows spread: as many runs at a time as a
// block of K holds, or a part of a long one. `given` is the first pixel's job, for column 0.
template <class A>
void conv_spread_tiles(const Panels<A>& panels, const ConvRuns& runs, const TileJob& given, int64_t m0, int64_t m1,
                       int64_t p0, int64_t p1) {
  constexpr int mr = Tile<A>::mr;
  alignas(64) float copies[mr * k_block<A> * simd::lanes<A>];
  const int64_t depth = lesser(runs.depth, k_block<A>), count = greater(1, k_block<A> / greater(runs.depth, 1));
  TileJob job = given;
  job.spread = copies;
  for (int64_t run = 0; run < runs.count; run += count) {
    const int64_t run_end = lesser(runs.count, run + count);
    for (int64_t k = 0; k < runs.depth; k += depth) {
      const int64_t part = lesser(depth, runs.depth - k), k0 = run * runs.depth + k;
      job.depth = (run_end - run) * part;
      job.first = k0 == 0;
      job.last = k0 + job.depth == panels.k;
      for (int64_t block = p0; block < p1; block += panel_block<A>) {
        job.rows = given.rows;
        for (int64_t m = m0; m + mr <= m1; m += mr, job.rows += mr * runs.count) {
          for (int64_t r = run; r < run_end; ++r) {
            spread_rows<A, mr>(job.rows + r * mr, static_cast<ptrdiff_t>(k), static_cast<ptrdiff_t>(part),
                               copies + (r - run) * part * mr * simd::lanes<A>);
          }
          job.c = given.c + (m - m0) * job.ldc;
          job.residual = given.residual ? given.residual + (m - m0) * job.ldr : nullptr;
          run_panels<A>(panels, block, lesser(p1, block + panel_block<A>), k0, mr, job);
        }
      }
    }
  }
}

// Output pixels [m0, m1) of group g for panels [p0, p1).
template <class A>
void conv_block(const ConvShape& s, const ConvPacking<A>& packing, const ConvRuns& runs, const ConvImages& images,
                const float* packed, const Epilogue& e, int64_t g, int64_t m0, int64_t m1, int64_t p0, int64_t p1,
                float* scratch) {
  constexpr int64_t mr = Tile<A>::mr;
  const float** starts = reinterpret_cast<const float**>(scratch);
  conv_pointers<A>(s, runs, images.x + g * packing.in_c, images.ldx, packed + packing.zeros, m0, m1, starts,
                   scratch + runs.pointers);
  const int64_t channel = g * packing.out_c;
  TileJob job;
  job.taps = runs.count;
  job.depth = runs.depth;
  job.b = packed + g * packing.group_size;
  job.ldc = images.ldy;
  job.bias = e.bias ? e.bias + channel : nullptr;
  job.ldr = e.ldr;
  job.epilogue = &e;
  const auto from = [&](int64_t m) {
    job.rows = starts + (m - m0) * runs.count;
    job.c = images.y + m * images.ldy + channel;
    job.residual = e.residual ? e.residual + m * e.ldr + channel : nullptr;
  };
  int64_t first = m0;
  if constexpr (!simd::cheap_splat<A>) {
    // A residual that is added last may lie in y and must survive until then: K stays whole.
    const bool whole_k = e.residual && e.residual_last;
    const int64_t k = packing.panels.k;
    if (p1 - p0 >= spread_panels && k > 0 && (k <= k_block<A> || !whole_k)) {
      from(m0);
      conv_spread_tiles<A>(packing.panels, runs, job, m0, m1, p0, p1);
      first = m1 - (m1 - m0) % mr;
    }
  }
  for (int64_t p = p0; p < p1; ++p) {
    for (int64_t m = first; m < m1; m += mr) {
      from(m);
      run_panels<A>(packing.panels, p, p + 1, 0, static_cast<int>(lesser(mr, m1 - m)), job);
    }
  }
}

template <class A>
void conv_run(const ConvShape& s, const ConvImages& images, const float* packed, const Epilogue& e, float* scratch) {
  if (takes_winograd<A>(s)) return winograd_run<A>(s, images, packed, e, scratch);
  if (takes_depthwise<A>(s)) return depthwise_run<A>(s, images, packed, e);
  const ConvPacking<A> packing(s);
  const int64_t pixels = s.batch * s.out_h * s.out_w;
  if (is_pointwise(s)) {
    Gemm gemm;
    gemm.m = pixels;
    gemm.n = s.out_c;
    gemm.k = s.in_c;
    gemm.a = images.x;
    gemm.lda = images.ldx;
    gemm.packed_b = packed;
    gemm.c = images.y;
    gemm.ldc = images.ldy;
    gemm.epilogue = e;
    return gemm_run<A>(gemm);
  }
  const ConvRuns runs = conv_runs<A>(s, images.ldx);
  // Pointers are read as such: align what the caller gave.
  float* aligned = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(scratch) + 7) & ~uintptr_t{7});
  const int64_t per_thread = (runs.scratch() + 1) & ~int64_t{1};
  const TaskGrid grid = task_grid(pixels, packing.panels.count(), runs.rows, Tile<A>::mr,
                                  s.groups * runs.count * runs.depth * Tile<A>::nr);
  thread_pool::parallel_for(grid.count() * s.groups, 1, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t g = task / grid.count(), block = task % grid.count();
      const int64_t m0 = block / grid.panel_tasks * grid.rows, p0 = block % grid.panel_tasks * grid.panels;
      conv_block<A>(s, packing, runs, images, packed, e, g, m0, lesser(m0 + grid.rows, pixels), p0,
                    lesser(p0 + grid.panels, packing.panels.count()), aligned + thread * per_thread);
    }
  });
}

template <class A>
constexpr ConvKernels conv_kernels() {
  return {
      .prefers_winograd = conv_prefers_winograd<A>,
      .packed_size = conv_packed_size<A>,
      .pack = conv_pack<A>,
      .scratch_size = conv_scratch_size<A>,
      .run = conv_run<A>,
      .transposed_packed_size = transposed_packed_size<A>,
      .transposed_pack = transposed_pack<A>,
      .transposed_scratch_size = transposed_scratch_size<A>,
      .transposed_run = transposed_run<A>,
  };
}

}  // namespace nm::impl
