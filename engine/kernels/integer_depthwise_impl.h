// Depthwise convolution of bytes. Channels are the lanes, and a lane holds two neighbouring taps of a row of the
// kernel, so that one multiplication of pairs serves both: input rows are widened into a ring of such pairs, padding
// included, as output rows need them. Weights lie as [block of lanes][row of the kernel][pair of taps][lane].
#pragma once
#include "engine/kernels/conv.h"
#include "engine/kernels/integer_tile.h"

namespace nm::impl {

template <class A>
struct DepthwiseRing {
  explicit DepthwiseRing(const ConvShape& s)
      : channels(divide_up(s.in_c, simd::lanes<A>) * simd::lanes<A>),
        pairs(divide_up(s.kernel_w, 2)),
        width((s.out_w - 1) * s.stride_w + (s.kernel_w - 1) * s.dilation_w + 1),
        rows((s.kernel_h - 1) * s.dilation_h + 1) {}
  static constexpr int pixels = 4;  // of output at a time
  int64_t channels;                 // whole vectors
  int64_t pairs;                    // of a row of the kernel
  int64_t width, rows;              // in pixels, with padding
  int64_t taps(const ConvShape& s) const { return s.kernel_h * pairs; }
  int64_t row_size() const { return width * channels; }
  int64_t sums() const { return pixels * channels + 4 * simd::lanes<A>; }
  // Bytes of scratch of a thread: pointers, ring, sums, a pixel of zero points.
  int64_t scratch(const ConvShape& s) const {
    // Padding, strides and dilations of a hostile file: more than any machine has.
    if (static_cast<double>(rows) * static_cast<double>(width) * static_cast<double>(channels) > 1e15) {
      return int64_t{1} << 50;
    }
    return divide_up(taps(s) * static_cast<int64_t>(sizeof(int32_t*)) + (rows * row_size() + sums()) * 4 + s.in_c, 8) *
           8;
  }
};

template <class A>
int64_t integer_depthwise_packed_size(const ConvShape& s) {
  const DepthwiseRing<A> ring(s);
  return ring.taps(s) * ring.channels * static_cast<int64_t>(sizeof(int32_t));
}
template <class A>
int64_t integer_depthwise_scratch(const ConvShape& s) {
  return DepthwiseRing<A>(s).scratch(s);
}

template <class A>
void integer_depthwise_pack(const ConvShape& s, const IntegerWeights& w, uint8_t* packed) {
  constexpr int64_t W = simd::lanes<A>;
  const DepthwiseRing<A> ring(s);
  const auto* from = static_cast<const uint8_t*>(w.w.data);
  auto* to = reinterpret_cast<int16_t*>(packed);
  for (int64_t c = 0; c < ring.channels; ++c) {
    const Widening<A> widening(w.w.is_signed, c < s.in_c ? byte_value(w.zeros, w.w.is_signed, c * w.zero_step) : 0);
    for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < 2 * ring.pairs; ++kx) {
        const bool there = c < s.in_c && kx < s.kernel_w;
        const int64_t pair = (c / W * s.kernel_h + ky) * ring.pairs + kx / 2;
        to[(pair * W + c % W) * 2 + kx % 2] =
            there ? widening.one(from[c * w.out_stride + (ky * s.kernel_w + kx) * w.tap_stride]) : int16_t{0};
      }
    }
  }
}

// Channels of two pixels side by side, zeros past the last channel.
template <class A>
void pair_pixels(const uint8_t* left, const uint8_t* right, const Widening<A>& w, int32_t* out, int64_t n,
                 int64_t padded) {
  auto* to = reinterpret_cast<int16_t*>(out);
  int64_t c = 0;
  for (; c + 8 <= n; c += 8) {
    const simd::Shorts8 a = widen8<A>(left + c, w), b = widen8<A>(right + c, w);
    const simd::Shorts8 low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const simd::Shorts8 high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    std::memcpy(to + 2 * c, &low, sizeof low);
    std::memcpy(to + 2 * c + 8, &high, sizeof high);
  }
  for (; c < padded; ++c) {
    to[2 * c] = c < n ? w.one(left[c]) : int16_t{0};
    to[2 * c + 1] = c < n ? w.one(right[c]) : int16_t{0};
  }
}

// Sums of T neighbouring output pixels, all channels. `taps` point at the pairs under the first output pixel of the
// row; the first of these pixels is `offset` numbers further, each other one another `step`.
template <class A, int T>
void depthwise_sums(const int32_t* const* taps, ptrdiff_t count, ptrdiff_t step, ptrdiff_t offset,
                    const int32_t* weights, const int32_t* start, int32_t* sums, ptrdiff_t channels) {
  constexpr ptrdiff_t W = simd::lanes<A>;
  for (ptrdiff_t c = 0; c < channels; c += W) {
    vi<A> acc[T];
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t] = simd::load<A>(start + c);
    for (ptrdiff_t k = 0; k < count; ++k, weights += W) {
      const simd::vs<A> w = simd::as_pairs<A>(simd::load<A>(weights));
      const int32_t* x = taps[k] + offset + c;
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        acc[t] = dot_pairs<A>(simd::as_pairs<A>(simd::load<A>(x + t * step)), w, acc[t]);
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) simd::store<A>(sums + t * channels + c, acc[t]);
  }
}

template <class A>
void integer_depthwise_run(const IntegerProduct& job, const int32_t* bias, const float* scales, uint8_t* scratch) {
  const ConvShape& s = job.shape;
  const DepthwiseRing<A> ring(s);
  const int32_t zero = byte_value(job.x_zeros, job.x.is_signed, 0);
  const Widening<A> widening(job.x.is_signed, zero);
  const auto* x = static_cast<const uint8_t*>(job.x.data);
  const auto* weights = reinterpret_cast<const int32_t*>(job.packed);
  const auto step = static_cast<ptrdiff_t>(s.stride_w * ring.channels);
  const auto channels = static_cast<ptrdiff_t>(ring.channels), count = static_cast<ptrdiff_t>(ring.taps(s));
  const int64_t rows = s.batch * s.out_h;
  const int64_t work = s.out_w * ring.channels * s.kernel_h * s.kernel_w / 2;
  thread_pool::parallel_for(rows, thread_pool::chunk(rows, work), [&](int64_t begin, int64_t end, int thread) {
    uint8_t* own = scratch + thread * ring.scratch(s);
    auto** taps = reinterpret_cast<const int32_t**>(own);
    auto* lines = reinterpret_cast<int32_t*>(own + count * static_cast<ptrdiff_t>(sizeof(int32_t*)));
    int32_t* sums = lines + ring.rows * ring.row_size();
    auto* padding = reinterpret_cast<uint8_t*>(sums + ring.sums());
    std::memset(padding, zero, static_cast<size_t>(s.in_c));
    int64_t ready = -s.pad_top, image = -1;  // rows of the image from `ready` on are not in the ring
    for (int64_t row = begin; row < end; ++row) {
      const int64_t iy = row % s.out_h * s.stride_h - s.pad_top;
      if (row / s.out_h != image) {
        image = row / s.out_h;
        ready = iy;
      }
      ready = greater(ready, iy);
      for (; ready < iy + ring.rows; ++ready) {
        int32_t* line = lines + (ready + s.pad_top) % ring.rows * ring.row_size();
        const bool inside = ready >= 0 && ready < s.in_h;
        const uint8_t* from = x + (image * s.in_h + ready) * s.in_w * job.ldx;
        const auto pixel = [&](int64_t ix) { return inside && ix >= 0 && ix < s.in_w ? from + ix * job.ldx : padding; };
        for (int64_t p = 0; p < ring.width; ++p) {
          const int64_t ix = p - s.pad_left;
          pair_pixels<A>(pixel(ix), pixel(ix + s.dilation_w), widening, line + p * ring.channels, s.in_c,
                         ring.channels);
        }
      }
      for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
        const int32_t* line = lines + (iy + s.pad_top + ky * s.dilation_h) % ring.rows * ring.row_size();
        for (int64_t pair = 0; pair < ring.pairs; ++pair) {
          taps[ky * ring.pairs + pair] = line + pair * 2 * s.dilation_w * ring.channels;
        }
      }
      for (int64_t ox = 0; ox < s.out_w;) {
        const int64_t pixels = ox + ring.pixels <= s.out_w ? ring.pixels : 1;
        (pixels == 1 ? depthwise_sums<A, 1>
                     : depthwise_sums<A, ring.pixels>)(taps, count, step,
                                                       static_cast<ptrdiff_t>(ox * s.stride_w * ring.channels), weights,
                                                       bias, sums, channels);
        finish_sums<A>(
            job.epilogue,
            {sums, channels, scales,
             static_cast<uint8_t*>(job.y) + (row * s.out_w + ox) * job.ldy * bytes_of(job.epilogue.to),
             static_cast<ptrdiff_t>(job.ldy), static_cast<ptrdiff_t>(pixels), static_cast<ptrdiff_t>(s.in_c)});
        ox += pixels;
      }
    }
  });
}

}  // namespace nm::impl
