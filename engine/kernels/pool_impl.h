#pragma once
#include <limits>

#include "engine/kernels/integers.h"
#include "engine/kernels/long_sum.h"
#include "engine/kernels/pool.h"
#include "engine/simd/simd.h"

namespace nm::impl {

using simd::vf;

// y[c] = finish(fold of x over a window of rows × cols pixels, steps apart).
template <class A, class Fold, class Finish>
void pool_window(const float* x, int64_t row_step, int64_t rows, int64_t col_step, int64_t cols, int64_t channels,
                 float neutral, Fold fold, Finish finish, float* y) {
  constexpr int64_t w = simd::lanes<A>;
  int64_t c = 0;
  for (; c + 2 * w <= channels; c += 2 * w) {
    vf<A> a(neutral), b(neutral);
    for (int64_t i = 0; i < rows; ++i) {
      const float* p = x + i * row_step + c;
      for (int64_t j = 0; j < cols; ++j, p += col_step) {
        a = fold(a, simd::load<A>(p));
        b = fold(b, simd::load<A>(p + w));
      }
    }
    simd::store<A>(y + c, vf<A>(finish(a)));
    simd::store<A>(y + c + w, vf<A>(finish(b)));
  }
  for (; c < channels; c += w) {
    const int64_t count = lesser(w, channels - c);
    vf<A> a(neutral);
    for (int64_t i = 0; i < rows; ++i) {
      const float* p = x + i * row_step + c;
      for (int64_t j = 0; j < cols; ++j, p += col_step) {
        a = fold(a, simd::load_up_to<A>(p, count));
      }
    }
    simd::store_up_to<A>(y + c, finish(a), count);
  }
}

// y[c] = sum · factor over a window of rows × cols pixels.
template <class A>
void average_window(const float* x, int64_t row_step, int64_t rows, int64_t col_step, int64_t cols, int64_t channels,
                    vf<A> factor, float* y) {
  if (rows * cols <= 2 * kChain) {
    return pool_window<A>(
        x, row_step, rows, col_step, cols, channels, 0.f, [](vf<A> a, vf<A> v) { return a + v; },
        [=](vf<A> v) { return v * factor; }, y);
  }
  constexpr int64_t w = simd::lanes<A>;
  for (int64_t c = 0; c < channels; c += w) {
    const int64_t count = lesser(w, channels - c);
    LongSum<A> sum;
    for (int64_t i = 0; i < rows; ++i) {
      const float* p = x + i * row_step + c;
      for (int64_t j = 0; j < cols; j += 2 * kChain) {
        vf<A> even(0.f), odd(0.f);
        const int64_t end = lesser(cols - j, 2 * kChain);
        int64_t k = 0;
        for (; k + 2 <= end; k += 2, p += 2 * col_step) {
          even = even + simd::load_up_to<A>(p, count);
          odd = odd + simd::load_up_to<A>(p + col_step, count);
        }
        if (k < end) even = even + simd::load_up_to<A>(p, count);
        if (k < end) p += col_step;
        sum.add(even + odd);
      }
    }
    simd::store_up_to<A>(y + c, vf<A>(sum.value() * factor), count);
  }
}

// NaN wins.
template <class A>
vf<A> larger(vf<A> best, vf<A> v) {
  return simd::select<A>(v == v, simd::at_least<A>(best, v), v);
}

// Calls body(first input pixel, rows, cols, output pixel, oy, ox) for every window, clipped to the image.
template <class A, class F>
void for_windows(const PoolShape& s, F body) {
  const int64_t rows = s.batch * s.out_h;
  const int64_t work = s.out_w * s.channels * s.kernel_h * s.kernel_w;
  thread_pool::parallel_for(rows, thread_pool::chunk(rows, work), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t image = row / s.out_h, oy = row % s.out_h, iy = oy * s.stride_h - s.pad_top;
      const IndexRange ky = inside(iy, s.dilation_h, s.kernel_h, s.in_h);
      for (int64_t ox = 0; ox < s.out_w; ++ox) {
        const int64_t ix = ox * s.stride_w - s.pad_left;
        const IndexRange kx = inside(ix, s.dilation_w, s.kernel_w, s.in_w);
        const int64_t pixel = (image * s.in_h + iy + ky.begin * s.dilation_h) * s.in_w + ix + kx.begin * s.dilation_w;
        body(pixel, ky.end - ky.begin, kx.end - kx.begin, row * s.out_w + ox, iy, ix);
      }
    }
  });
}

template <class A>
void pool_max(const PoolShape& s, const float* x, int64_t ldx, float* y, int64_t ldy) {
  for_windows<A>(s, [&](int64_t in, int64_t rows, int64_t cols, int64_t out, int64_t, int64_t) {
    pool_window<A>(
        x + in * ldx, s.dilation_h * s.in_w * ldx, rows, s.dilation_w * ldx, cols, s.channels,
        -std::numeric_limits<float>::infinity(), larger<A>, [](vf<A> v) { return v; }, y + out * ldy);
  });
}

// The largest byte of each channel over a window, 16 channels at a time. The last 16 may overlap those before.
template <class A, class T>
void max_window(const T* x, int64_t row_step, int64_t rows, int64_t col_step, int64_t cols, int64_t channels, T* y) {
  typedef T Bytes __attribute__((vector_size(16)));  // GCC takes the attribute of a dependent type in no other form
  for (int64_t c = 0; c < channels; c += 16) {
    const int64_t count = lesser(16, channels), first = lesser(c, channels - count);
    Bytes best = Bytes{} + std::numeric_limits<T>::lowest();
    for (int64_t i = 0; i < rows; ++i) {
      const T* p = x + i * row_step + first;
      for (int64_t j = 0; j < cols; ++j, p += col_step) {
        Bytes v = best;
        if (count == 16) {
          std::memcpy(&v, p, 16);
        } else {
          for (int64_t k = 0; k < count; ++k) v[k] = p[k];
        }
        best = best < v ? v : best;
      }
    }
    if (count == 16) {
      std::memcpy(y + first, &best, 16);
    } else {
      for (int64_t k = 0; k < count; ++k) y[k] = best[k];
    }
  }
}

template <class A, class T>
void pool_max_bytes(const PoolShape& s, const T* x, T* y) {
  const int64_t ld = s.channels;
  for_windows<A>(s, [&](int64_t in, int64_t rows, int64_t cols, int64_t out, int64_t, int64_t) {
    max_window<A>(x + in * ld, s.dilation_h * s.in_w * ld, rows, s.dilation_w * ld, cols, ld, y + out * ld);
  });
}

template <class A>
void pool_average(const PoolShape& s, bool count_include_pad, const float* x, int64_t ldx, float* y, int64_t ldy) {
  for_windows<A>(s, [&](int64_t in, int64_t rows, int64_t cols, int64_t out, int64_t iy, int64_t ix) {
    int64_t cells = rows * cols;
    if (count_include_pad) {
      const IndexRange ky = inside(iy + s.pad_top, s.dilation_h, s.kernel_h, s.in_h + s.pad_top + s.pad_bottom);
      const IndexRange kx = inside(ix + s.pad_left, s.dilation_w, s.kernel_w, s.in_w + s.pad_left + s.pad_right);
      cells = (ky.end - ky.begin) * (kx.end - kx.begin);
    }
    const vf<A> factor(1.f / static_cast<float>(cells));
    average_window<A>(x + in * ldx, s.dilation_h * s.in_w * ldx, rows, s.dilation_w * ldx, cols, s.channels, factor,
                      y + out * ldy);
  });
}

// Splits channels over threads when there are fewer images than threads.
template <class A, class F>
void for_channel_blocks(int64_t batch, int64_t pixels, int64_t channels, F body) {
  constexpr int64_t block = 4 * simd::lanes<A>;
  const int64_t blocks = divide_up(channels, block);
  const int64_t count = batch * blocks;
  thread_pool::parallel_for(count, thread_pool::chunk(count, pixels * block), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end;) {
      const int64_t image = i / blocks, first = i % blocks, last = lesser(blocks, first + end - i);
      body(image, first * block, lesser(channels, last * block));
      i += last - first;
    }
  });
}

template <class A>
void pool_global_max(int64_t batch, int64_t pixels, int64_t channels, const float* x, int64_t ldx, float* y,
                     int64_t ldy) {
  for_channel_blocks<A>(batch, pixels, channels, [&](int64_t image, int64_t c0, int64_t c1) {
    pool_window<A>(
        x + image * pixels * ldx + c0, 0, 1, ldx, pixels, c1 - c0, -std::numeric_limits<float>::infinity(), larger<A>,
        [](vf<A> v) { return v; }, y + image * ldy + c0);
  });
}

template <class A>
void pool_global_average(int64_t batch, int64_t pixels, int64_t channels, const float* x, int64_t ldx, float* y,
                         int64_t ldy) {
  const vf<A> factor(1.f / static_cast<float>(pixels));
  for_channel_blocks<A>(batch, pixels, channels, [&](int64_t image, int64_t c0, int64_t c1) {
    average_window<A>(x + image * pixels * ldx + c0, 0, 1, ldx, pixels, c1 - c0, factor, y + image * ldy + c0);
  });
}

template <class A>
constexpr PoolKernels pool_kernels() {
  return {
      .max = pool_max<A>,
      .max_i8 = pool_max_bytes<A, int8_t>,
      .max_u8 = pool_max_bytes<A, uint8_t>,
      .average = pool_average<A>,
      .global_max = pool_global_max<A>,
      .global_average = pool_global_average<A>,
  };
}

}  // namespace nm::impl
