#pragma once
#include <cstring>

#include "engine/kernels/integers.h"
#include "engine/kernels/resize.h"
#include "engine/simd/simd.h"

namespace nm::impl {

template <class A, class F>
void for_image_rows(int64_t rows, int64_t work, F body) {
  thread_pool::parallel_for(rows, thread_pool::chunk(rows, work), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}

template <class A>
void resize_nearest(int64_t batch, int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w, int64_t channels,
                    const int32_t* rows, const int32_t* cols, const float* x, int64_t ldx, float* y, int64_t ldy) {
  for_image_rows<A>(batch * out_h, out_w * channels, [&](int64_t row) {
    const float* in = x + (row / out_h * in_h + rows[row % out_h]) * in_w * ldx;
    float* out = y + row * out_w * ldy;
    if (channels == 1) {
      for (int64_t i = 0; i < out_w; ++i) out[i * ldy] = in[cols[i] * ldx];
      return;
    }
    for (int64_t i = 0; i < out_w; ++i) {
      std::memcpy(out + i * ldy, in + cols[i] * ldx, static_cast<size_t>(channels) * sizeof(float));
    }
  });
}

template <class A>
void resize_bilinear(int64_t batch, int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w, int64_t channels,
                     const LinearTap* rows, const LinearTap* cols, const float* x, int64_t ldx, float* y, int64_t ldy) {
  using V = simd::vf<A>;
  constexpr int64_t w = simd::lanes<A>;
  for_image_rows<A>(batch * out_h, 8 * out_w * channels, [&](int64_t row) {
    const LinearTap& r = rows[row % out_h];
    const float* image = x + row / out_h * in_h * in_w * ldx;
    const float* low = image + r.low * in_w * ldx;
    const float* high = image + r.high * in_w * ldx;
    float* out = y + row * out_w * ldy;
    for (int64_t i = 0; i < out_w; ++i) {
      const LinearTap& c = cols[i];
      const float *a = low + c.low * ldx, *b = low + c.high * ldx, *p = high + c.low * ldx, *q = high + c.high * ldx;
      const V wx(c.weight), wy(r.weight);
      const auto mix = [&](V va, V vb, V vp, V vq) {
        const V top = simd::madd<A>(vb - va, wx, va), bottom = simd::madd<A>(vq - vp, wx, vp);
        return simd::madd<A>(bottom - top, wy, top);
      };
      int64_t k = 0;
      for (; k + w <= channels; k += w) {
        const V v = mix(simd::load<A>(a + k), simd::load<A>(b + k), simd::load<A>(p + k), simd::load<A>(q + k));
        simd::store<A>(out + i * ldy + k, v);
      }
      for (; k < channels; ++k) {  // by itself: images of one to three channels are common
        const float top = a[k] + (b[k] - a[k]) * c.weight, bottom = p[k] + (q[k] - p[k]) * c.weight;
        out[i * ldy + k] = top + (bottom - top) * r.weight;
      }
    }
  });
}

template <class A>
constexpr ResizeKernels resize_kernels() {
  return {
      .nearest = resize_nearest<A>,
      .bilinear = resize_bilinear<A>,
  };
}

}  // namespace nm::impl
