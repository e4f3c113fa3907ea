// Depthwise convolution, direct: channels are the vector lanes. Weights lie as [block of lanes][tap][lane], zeros in
// the lanes past the last channel, so that one pointer walks through them.
#pragma once
#include "engine/kernels/conv.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/pack.h"
#include "engine/kernels/tile.h"

namespace nm::impl {

template <class A>
int64_t depthwise_packed_size(const ConvShape& s) {
  return s.kernel_h * s.kernel_w * divide_up(s.in_c, simd::lanes<A>) * simd::lanes<A>;
}

template <class A>
void depthwise_pack(const ConvShape& s, const void* weights, SourceType type, const float* scale, float* packed) {
  constexpr int64_t w = simd::lanes<A>;
  const int64_t taps = s.kernel_h * s.kernel_w;
  with_reader<A>(weights, type, [&](auto read) {
    for (int64_t c = 0; c < divide_up(s.in_c, w) * w; ++c) {
      for (int64_t t = 0; t < taps; ++t) {
        packed[(c / w * taps + t) * w + c % w] = c < s.in_c ? read(c * taps + t) * (scale ? scale[c] : 1.f) : 0.f;
      }
    }
  });
}

// T neighbouring output pixels that use the taps ky × kx of the kernel. Strides are in the machine's word, so that
// addresses in the loops need no wider arithmetic.
struct DepthwiseJob {
  const ConvShape* shape;
  const float* x;  // the input pixel under tap (0, 0) of the first output pixel; taps outside ky, kx are not touched
  ptrdiff_t pixel, row;  // floats between neighbouring taps
  const float* w;
  IndexRange ky, kx;
  float* y;
  ptrdiff_t ldy;
  const Epilogue* epilogue;
  const float* residual;
};

// Stores the sums, which already hold the bias, for channels [c, c + count).
template <class A, int T>
[[gnu::always_inline]] inline void depthwise_finish(const DepthwiseJob& job, vf<A> (&acc)[T], ptrdiff_t c,
                                                    ptrdiff_t count, bool bounds, const Bounds<A>& clamp) {
  constexpr int w = simd::lanes<A>;
  const Epilogue& e = *job.epilogue;
  const ptrdiff_t ldr = static_cast<ptrdiff_t>(e.ldr);
  if (job.residual && !e.residual_last) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = acc[t] + simd::load_up_to<A>(job.residual + t * ldr + c, count);
  }
  if (bounds) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = clamp(acc[t]);
  } else {
    float sums[T * w];
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) simd::store<A>(sums + t * w, acc[t]);
    unary<A>(e.activation, sums, sums, T * w, e.a, e.b);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = simd::load<A>(sums + t * w);
  }
  if (job.residual && e.residual_last) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = acc[t] + simd::load_up_to<A>(job.residual + t * ldr + c, count);
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) simd::store_up_to<A>(job.y + t * job.ldy + c, acc[t], count);
}

// Calls body(c, count, first weight, read) for each block of lanes; read loads `count` channels.
template <class A, class F>
[[gnu::always_inline]] inline void depthwise_blocks(const ConvShape& s, const float* weights, F body) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const ptrdiff_t channels = static_cast<ptrdiff_t>(s.in_c);
  const ptrdiff_t step = static_cast<ptrdiff_t>(s.kernel_h * s.kernel_w) * w;
  ptrdiff_t c = 0;
  for (; c + w <= channels; c += w, weights += step) {
    body(c, w, weights, [](const float* p) { return simd::load<A>(p); });
  }
  if (const ptrdiff_t rest = channels - c; rest > 0) {
    body(c, rest, weights, [rest](const float* p) { return simd::load_tail<A>(p, rest); });
  }
}

// Any kernel and window: one output pixel.
template <class A>
void depthwise_pixel(const DepthwiseJob& job) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  const Epilogue& e = *job.epilogue;
  const bool bounds = is_bounds(e.activation);
  const Bounds<A> clamp(e);
  const ptrdiff_t width = static_cast<ptrdiff_t>(job.shape->kernel_w);
  const ptrdiff_t ky0 = static_cast<ptrdiff_t>(job.ky.begin), ky1 = static_cast<ptrdiff_t>(job.ky.end);
  const ptrdiff_t kx0 = static_cast<ptrdiff_t>(job.kx.begin), kx1 = static_cast<ptrdiff_t>(job.kx.end);
  depthwise_blocks<A>(
      *job.shape,
      job.w, [&](ptrdiff_t c, ptrdiff_t count, const float* weights, auto read) __attribute__((always_inline)) {
        vf<A> acc[1] = {e.bias ? read(e.bias + c) : vf<A>(0.f)};
        for (ptrdiff_t ky = ky0; ky < ky1; ++ky) {
          const float* x = job.x + ky * job.row + c;
          for (ptrdiff_t kx = kx0; kx < kx1; ++kx) {
            acc[0] = simd::madd<A>(read(x + kx * job.pixel), simd::load<A>(weights + (ky * width + kx) * w), acc[0]);
          }
        }
        depthwise_finish<A, 1>(job, acc, c, count, bounds, clamp);
      });
}

// T output pixels whose windows lie inside horizontally, kernel width KW, stride S, dilation 1: each weight is loaded
// once per T sums, each input once per tap that shares it.
template <class A, int KW, int S, int T>
void depthwise_pixels(const DepthwiseJob& job) {
  constexpr ptrdiff_t w = simd::lanes<A>;
  constexpr int inputs = (T - 1) * S + KW;
  const Epilogue& e = *job.epilogue;
  const bool bounds = is_bounds(e.activation);
  const Bounds<A> clamp(e);
  const ptrdiff_t rows = static_cast<ptrdiff_t>(job.ky.end - job.ky.begin);
  const float* first = job.x + static_cast<ptrdiff_t>(job.ky.begin) * job.row;
  const ptrdiff_t skipped = static_cast<ptrdiff_t>(job.ky.begin) * KW * w;
  depthwise_blocks<A>(
      *job.shape,
      job.w, [&](ptrdiff_t c, ptrdiff_t count, const float* weights, auto read) __attribute__((always_inline)) {
        const vf<A> bias = e.bias ? read(e.bias + c) : vf<A>(0.f);
        vf<A> acc[T];
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) acc[t] = bias;
        const float* x = first + c;
        const float* wp = weights + skipped;
        for (ptrdiff_t ky = 0; ky < rows; ++ky, x += job.row, wp += KW * w) {
          vf<A> weight[KW];
#pragma GCC unroll 8
          for (int kx = 0; kx < KW; ++kx) weight[kx] = simd::load<A>(wp + kx * w);
#pragma GCC unroll 16
          for (int i = 0; i < inputs; ++i) {
            const vf<A> xi = read(x + i * job.pixel);
#pragma GCC unroll 8
            for (int t = 0; t < T; ++t) {
              const int kx = i - t * S;
              if (kx >= 0 && kx < KW) acc[t] = simd::madd<A>(xi, weight[kx], acc[t]);
            }
          }
        }
        depthwise_finish<A, T>(job, acc, c, count, bounds, clamp);
      });
}

using DepthwiseFunction = void (*)(const DepthwiseJob&);

// The functions for several and for two neighbouring pixels; null where only pixel by pixel will do.
struct DepthwiseFunctions {
  DepthwiseFunction four = nullptr, two = nullptr, one = nullptr;
};
template <class A, int KW, int S>
constexpr DepthwiseFunctions depthwise_of() {
  return {depthwise_pixels<A, KW, S, 4>, depthwise_pixels<A, KW, S, 2>, depthwise_pixels<A, KW, S, 1>};
}
template <class A>
DepthwiseFunctions depthwise_functions(const ConvShape& s) {
  if (s.dilation_w == 1 && s.kernel_w == 3 && s.stride_w == 1) return depthwise_of<A, 3, 1>();
  if (s.dilation_w == 1 && s.kernel_w == 3 && s.stride_w == 2) return depthwise_of<A, 3, 2>();
  if (s.dilation_w == 1 && s.kernel_w == 5 && s.stride_w == 1) return depthwise_of<A, 5, 1>();
  if (s.dilation_w == 1 && s.kernel_w == 5 && s.stride_w == 2) return depthwise_of<A, 5, 2>();
  return {depthwise_pixel<A>, depthwise_pixel<A>, depthwise_pixel<A>};
}

template <class A>
void depthwise_run(const ConvShape& s, const ConvImages& images, const float* packed, const Epilogue& e) {
  const DepthwiseFunctions functions = depthwise_functions<A>(s);
  const bool several = functions.four != functions.one;
  // Output pixels [begin, end) of a row see no horizontal padding.
  const IndexRange whole = inside(-s.pad_left, s.stride_w, s.out_w, s.in_w - (s.kernel_w - 1) * s.dilation_w);
  const int64_t rows = s.batch * s.out_h;
  const int64_t work = 2 * s.out_w * s.out_c * s.kernel_h * s.kernel_w;  // each loads its weight
  thread_pool::parallel_for(rows, thread_pool::chunk(rows, work), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t image = row / s.out_h, iy = row % s.out_h * s.stride_h - s.pad_top;
      DepthwiseJob job;
      job.shape = &s;
      job.pixel = static_cast<ptrdiff_t>(s.dilation_w * images.ldx);
      job.row = static_cast<ptrdiff_t>(s.dilation_h * s.in_w * images.ldx);
      job.w = packed;
      job.ky = inside(iy, s.dilation_h, s.kernel_h, s.in_h);
      job.ldy = static_cast<ptrdiff_t>(images.ldy);
      job.epilogue = &e;
      for (int64_t ox = 0; ox < s.out_w;) {
        const int64_t ix = ox * s.stride_w - s.pad_left;
        job.x = images.x + ((image * s.in_h + iy) * s.in_w + ix) * images.ldx;
        job.kx = inside(ix, s.dilation_w, s.kernel_w, s.in_w);
        job.y = images.y + (row * s.out_w + ox) * images.ldy;
        job.residual = e.residual ? e.residual + (row * s.out_w + ox) * e.ldr : nullptr;
        const int64_t left = ox >= whole.begin ? whole.end - ox : 0;
        if (several && left >= 4) {
          functions.four(job);
          ox += 4;
        } else if (several && left >= 2) {
          functions.two(job);
          ox += 2;
        } else if (several && left == 1) {
          functions.one(job);
          ++ox;
        } else {
          depthwise_pixel<A>(job);
          ++ox;
        }
      }
    }
  });
}

}  // namespace nm::impl
