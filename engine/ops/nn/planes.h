// Images as planes [batch, channels, pixels], or as pixels of channels, for normalisations that scale by channel.
#pragma once
#include "engine/kernels/kernels.h"
#include "engine/op/numbers.h"
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

// What a normalisation does to a channel: y = (x - center)·factor + offset. One of each per channel, or, with
// `per_image`, per image and channel.
template <class T>
struct ChannelMap {
  const T* center;
  const T* factor;
  const T* offset;
  bool per_image = false;
};

template <class T>
void scale_channels(const Planes& p, const ChannelMap<T>& map, const T* x, T* y) {
  if (p.channels_last) {
    const int64_t image = p.pixels * p.channels;
    for (int64_t b = 0; b < p.batch; ++b) {
      const int64_t first = map.per_image ? b * p.channels : 0;
      const T *m = map.center + first, *f = map.factor + first, *o = map.offset + first;
      for_rows(p.pixels, p.channels, [&](int64_t begin, int64_t end) {
        const int64_t at = b * image + begin * p.channels;
        if constexpr (std::is_same_v<T, float>) {
          kernels().elementwise.row_normalize(end - begin, p.channels, x + at, p.channels, m, f, o, y + at, p.channels);
        } else {
          for (int64_t i = 0; i < (end - begin) * p.channels; ++i) {
            const int64_t ch = i % p.channels;
            y[at + i] = (x[at + i] - m[ch]) * f[ch] + o[ch];
          }
        }
      });
    }
    return;
  }
  for_rows(p.batch * p.channels, p.pixels, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t c = map.per_image ? plane : plane % p.channels;
      const int64_t at = plane * p.pixels;
      if constexpr (std::is_same_v<T, float>) {
        kernels().elementwise.normalize(x + at, y + at, p.pixels, map.center[c], map.factor[c], map.offset[c]);
      } else {
        for (int64_t i = 0; i < p.pixels; ++i) {
          y[at + i] = (x[at + i] - map.center[c]) * map.factor[c] + map.offset[c];
        }
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
