// Images as planes [batch, channels, pixels], or as pixels of channels, for normalisations that scale by channel.
#pragma once
#include "engine/kernels/kernels.h"
#include "engine/ops/numbers.h"
#include "engine/tensor/tensor.h"

namespace nm {

struct Planes {
  int64_t batch = 1, channels = 1, pixels = 1;
  bool channels_last = false;

  // Of [batch, channels, …], or of [batch, …, channels].
  static Planes of(const Shape& s, bool channels_last) {
    const int c = channels_last ? s.rank() - 1 : 1;
    Planes p;
    p.channels_last = channels_last;
    if (s.rank() > 0) p.batch = s[0];
    if (s.rank() > 1) p.channels = s[c];
    for (int i = 1; i < s.rank(); ++i) {
      if (i != c) p.pixels *= s[i];
    }
    return p;
  }
};

// y = x · factor + offset. factor and offset have one element per channel, or, with `per_image`, per image and channel.
template <class T>
void scale_channels(const Planes& p, bool per_image, const T* x, const T* factor, const T* offset, T* y) {
  if (p.channels_last) {
    const int64_t image = p.pixels * p.channels;
    for (int64_t b = 0; b < p.batch; ++b) {
      const T* f = factor + (per_image ? b * p.channels : 0);
      const T* o = offset + (per_image ? b * p.channels : 0);
      for_rows(p.pixels, p.channels, [&](int64_t begin, int64_t end) {
        const int64_t at = b * image + begin * p.channels;
        if constexpr (std::is_same_v<T, float>) {
          kernels().elementwise.row_affine(end - begin, p.channels, x + at, p.channels, f, o, y + at, p.channels);
        } else {
          for (int64_t i = 0; i < (end - begin) * p.channels; ++i) {
            y[at + i] = x[at + i] * f[i % p.channels] + o[i % p.channels];
          }
        }
      });
    }
    return;
  }
  for_rows(p.batch * p.channels, p.pixels, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t c = per_image ? plane : plane % p.channels;
      const int64_t at = plane * p.pixels;
      if constexpr (std::is_same_v<T, float>) {
        kernels().elementwise.unary(Unary::Affine, x + at, y + at, p.pixels, factor[c], offset[c]);
      } else {
        for (int64_t i = 0; i < p.pixels; ++i) y[at + i] = x[at + i] * factor[c] + offset[c];
      }
    }
  });
}

// Mean and biased variance of each of `rows` contiguous runs of n elements.
template <class T>
void mean_variance(int64_t rows, int64_t n, const T* x, T* mean, T* variance) {
  for_rows(rows, n, [&](int64_t begin, int64_t end) {
    if constexpr (std::is_same_v<T, float>) {
      kernels().rows.mean_variance(end - begin, n, x + begin * n, n, mean + begin, variance + begin);
    } else {
      for (int64_t r = begin; r < end; ++r) {
        T sum = 0, squares = 0;
        for (int64_t i = 0; i < n; ++i) sum += x[r * n + i];
        mean[r] = sum / static_cast<T>(n);
        for (int64_t i = 0; i < n; ++i) squares += (x[r * n + i] - mean[r]) * (x[r * n + i] - mean[r]);
        variance[r] = squares / static_cast<T>(n);
      }
    }
  });
}

}  // namespace nm
