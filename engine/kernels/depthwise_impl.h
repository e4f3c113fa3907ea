// Depthwise convolution, direct: channels are the vector lanes, weights lie as [tap][channel].
#pragma once
#include "engine/kernels/conv.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/pack.h"
#include "engine/kernels/tile.h"

namespace nm::impl {

[[maybe_unused]] static int64_t depthwise_packed_size(const ConvShape& s) { return s.kernel_h * s.kernel_w * s.in_c; }

template <class A>
void depthwise_pack(const ConvShape& s, const void* weights, SourceType type, const float* scale, float* packed) {
  const int64_t taps = s.kernel_h * s.kernel_w;
  with_reader<A>(weights, type, [&](auto read) {
    for (int64_t c = 0; c < s.in_c; ++c) {
      for (int64_t t = 0; t < taps; ++t) packed[t * s.in_c + c] = read(c * taps + t) * (scale ? scale[c] : 1.f);
    }
  });
}

// One window: taps [ky.begin, ky.end) × [kx.begin, kx.end) of the kernel for `pixels` neighbouring output pixels.
struct DepthwiseJob {
  const ConvShape* shape;
  const float* x;  // the input pixel under tap (0, 0) of the first output pixel; taps outside are not touched
  int64_t ldx, row;  // floats between input pixels and rows
  const float* w;
  IndexRange ky, kx;
  float* y;
  int64_t ldy;
  const Epilogue* epilogue;
  const float* residual;
};

// Stores `pixels` vectors of sums for channels [c, c + count).
template <class A, int T>
inline void depthwise_finish(const DepthwiseJob& job, vf<A> (&acc)[T], int64_t c, int64_t count, bool bounds,
                             const Bounds<A>& clamp) {
  constexpr int64_t w = simd::lanes<A>;
  const Epilogue& e = *job.epilogue;
  const auto read = [=](const float* p) { return simd::load_up_to<A>(p, count); };
  const bool before = job.residual && !e.residual_last;
  const vf<A> bias = e.bias ? read(e.bias + c) : vf<A>(0.f);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    acc[t] = acc[t] + bias;
    if (before) acc[t] = acc[t] + read(job.residual + t * e.ldr + c);
  }
  if (bounds) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = clamp(acc[t]);
  } else {
    float sums[T * w];
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) simd::store<A>(sums + t * w, acc[t]);
    activate<A>(e.activation, e.a, e.b, sums, T * w);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = simd::load<A>(sums + t * w);
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    if (job.residual && e.residual_last) acc[t] = acc[t] + read(job.residual + t * e.ldr + c);
    simd::store_up_to<A>(job.y + t * job.ldy + c, acc[t], count);
  }
}

// Any kernel, stride, dilation and window: one output pixel.
template <class A>
void depthwise_pixel(const DepthwiseJob& job) {
  constexpr int64_t w = simd::lanes<A>;
  const ConvShape& s = *job.shape;
  const bool bounds = is_bounds(job.epilogue->activation);
  const Bounds<A> clamp(*job.epilogue);
  for (int64_t c = 0; c < s.in_c; c += w) {
    const int64_t count = lesser(w, s.in_c - c);
    vf<A> acc[1] = {vf<A>(0.f)};
    for (int64_t ky = job.ky.begin; ky < job.ky.end; ++ky) {
      const float* x = job.x + ky * s.dilation_h * job.row + c;
      const float* weights = job.w + ky * s.kernel_w * s.in_c + c;
      for (int64_t kx = job.kx.begin; kx < job.kx.end; ++kx) {
        const float* xp = x + kx * s.dilation_w * job.ldx;
        const float* wp = weights + kx * s.in_c;
        acc[0] = simd::madd<A>(simd::load_up_to<A>(xp, count), simd::load_up_to<A>(wp, count), acc[0]);
      }
    }
    depthwise_finish<A, 1>(job, acc, c, count, bounds, clamp);
  }
}

// T neighbouring output pixels whose windows lie inside horizontally, kernel width KW, stride S, dilation 1: each
// weight is loaded once per T sums, each input once per tap that shares it.
template <class A, int KW, int S, int T>
void depthwise_run_of_pixels(const DepthwiseJob& job) {
  constexpr int64_t w = simd::lanes<A>;
  constexpr int inputs = (T - 1) * S + KW;
  const ConvShape& s = *job.shape;
  const bool bounds = is_bounds(job.epilogue->activation);
  const Bounds<A> clamp(*job.epilogue);
  for (int64_t c = 0; c < s.in_c; c += w) {
    const int64_t count = lesser(w, s.in_c - c);
    vf<A> acc[T];
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = vf<A>(0.f);
    const auto taps = [&](auto read) {
      for (int64_t ky = job.ky.begin; ky < job.ky.end; ++ky) {
        const float* x = job.x + ky * s.dilation_h * job.row + c;
        const float* wp = job.w + ky * KW * s.in_c + c;
        vf<A> weight[KW];
#pragma GCC unroll 8
        for (int kx = 0; kx < KW; ++kx) weight[kx] = read(wp + kx * s.in_c);
#pragma GCC unroll 16
        for (int i = 0; i < inputs; ++i) {
          const vf<A> xi = read(x + i * job.ldx);
#pragma GCC unroll 8
          for (int t = 0; t < T; ++t) {
            const int kx = i - t * S;
            if (kx >= 0 && kx < KW) acc[t] = simd::madd<A>(xi, weight[kx], acc[t]);
          }
        }
      }
    };
    if (count == w) {
      taps([](const float* p) { return simd::load<A>(p); });
    } else {
      taps([count](const float* p) { return simd::load_tail<A>(p, count); });
    }
    depthwise_finish<A, T>(job, acc, c, count, bounds, clamp);
  }
}

using DepthwiseFunction = void (*)(const DepthwiseJob&);

inline constexpr int depthwise_tile = 4;

// Null where only pixel by pixel will do.
template <class A>
DepthwiseFunction depthwise_function(const ConvShape& s) {
  if (s.dilation_w != 1) return nullptr;
  if (s.kernel_w == 3 && s.stride_w == 1) return depthwise_run_of_pixels<A, 3, 1, depthwise_tile>;
  if (s.kernel_w == 3 && s.stride_w == 2) return depthwise_run_of_pixels<A, 3, 2, depthwise_tile>;
  if (s.kernel_w == 5 && s.stride_w == 1) return depthwise_run_of_pixels<A, 5, 1, depthwise_tile>;
  if (s.kernel_w == 5 && s.stride_w == 2) return depthwise_run_of_pixels<A, 5, 2, depthwise_tile>;
  return nullptr;
}

template <class A>
void depthwise_run(const ConvShape& s, const ConvImages& images, const float* packed, const Epilogue& e,
                   ThreadPool& pool) {
  const DepthwiseFunction several = depthwise_function<A>(s);
  // Output pixels [first, last) of a row see no horizontal padding.
  const IndexRange whole = inside(-s.pad_left, s.stride_w, s.out_w, s.in_w - (s.kernel_w - 1) * s.dilation_w);
  const int64_t rows = s.batch * s.out_h;
  pool.parallel_for(rows, greater(1, rows / (4 * pool.size())), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t image = row / s.out_h, iy = row % s.out_h * s.stride_h - s.pad_top;
      DepthwiseJob job;
      job.shape = &s;
      job.ldx = images.ldx;
      job.row = s.in_w * images.ldx;
      job.w = packed;
      job.ky = inside(iy, s.dilation_h, s.kernel_h, s.in_h);
      job.ldy = images.ldy;
      job.epilogue = &e;
      for (int64_t ox = 0; ox < s.out_w;) {
        const int64_t ix = ox * s.stride_w - s.pad_left;
        job.x = images.x + ((image * s.in_h + iy) * s.in_w + ix) * images.ldx;
        job.kx = inside(ix, s.dilation_w, s.kernel_w, s.in_w);
        job.y = images.y + (row * s.out_w + ox) * images.ldy;
        job.residual = e.residual ? e.residual + (row * s.out_w + ox) * e.ldr : nullptr;
        if (several && ox >= whole.begin && ox + depthwise_tile <= whole.end) {
          several(job);
          ox += depthwise_tile;
        } else {
          depthwise_pixel<A>(job);
          ++ox;
        }
      }
    }
  });
}

}  // namespace nm::impl
