// Convolution by its definition, over channels-last elements of any arithmetic type: for the types and ranks that the
// f32 kernels do not serve.
#pragma once
#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/ops/nn/window.h"

namespace nm {

struct DirectConvShape {
  int64_t batch = 1, in_c = 1, out_c = 1, groups = 1;
  Window window;
};

// ONNX's [out_c, in_c/groups, taps…] as [taps][in_c][out_c/groups].
template <class T>
void direct_conv_pack(const DirectConvShape& s, const T* weights, T* packed) {
  const int64_t dims[] = {s.groups, s.out_c / s.groups, s.in_c / s.groups, s.window.taps()};
  const int axes[] = {3, 0, 2, 1};
  kernels().layout.permute(4, dims, axes, weights, packed, sizeof(T));
}

// The input pixel under tap `tap` of output pixel `out`; -1 in the padding.
inline int64_t window_pixel(const Window& w, const std::array<int64_t, kMaxSpatial>& out,
                            const std::array<int64_t, kMaxSpatial>& tap) {
  int64_t pixel = 0;
  for (int i = 0; i < w.rank; ++i) {
    const auto k = static_cast<size_t>(i);
    const int64_t at = out[k] * w[i].stride - w[i].pad_begin + tap[k] * w[i].dilation;
    if (at < 0 || at >= w[i].in) return -1;
    pixel = pixel * w[i].in + at;
  }
  return pixel;
}

// Row-major digits of a flat index.
template <class Size>
std::array<int64_t, kMaxSpatial> split_index(int64_t flat, int rank, Size size) {
  std::array<int64_t, kMaxSpatial> index{};
  for (int i = rank - 1; i >= 0; --i) {
    const int64_t d = size(i);
    index[static_cast<size_t>(i)] = flat % d;
    flat /= d;
  }
  return index;
}

// y += x ∗ w; the caller has filled y with biases or zeros. Same bits for any number of threads.
template <class T>
void direct_conv_run(const DirectConvShape& s, const T* x, const T* packed, T* y) {
  const Window& w = s.window;
  const int64_t in_c = s.in_c / s.groups, out_c = s.out_c / s.groups, pixels = w.out_pixels(), taps = w.taps();
  const auto pixel_sums = [&](int64_t image, int64_t pixel, T* out) {
    const auto at = split_index(pixel, w.rank, [&](int i) { return w[i].out; });
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t in = window_pixel(w, at, split_index(t, w.rank, [&](int i) { return w[i].kernel; }));
      if (in < 0) continue;
      const T* from = x + (image * w.in_pixels() + in) * s.in_c;
      const T* weights = packed + t * s.in_c * out_c;
      for (int64_t c = 0; c < s.in_c; ++c, weights += out_c) {
        T* sums = out + c / in_c * out_c;
        for (int64_t o = 0; o < out_c; ++o) sums[o] += from[c] * weights[o];
      }
    }
  };
  const int64_t work = std::max<int64_t>(1, taps * in_c * s.out_c);
  thread_pool::parallel_for(s.batch * pixels, std::max<int64_t>(1, 65536 / work), [&](int64_t begin, int64_t end, int) {
    for (int64_t p = begin; p < end; ++p) {
      pixel_sums(p / pixels, p % pixels, y + p * s.out_c);
    }
  });
}

}  // namespace nm
