// Pooling in f32 over channels-last images; see conv.h for how images lie in memory.
#pragma once
#include <cstdint>

#include "engine/base/thread_pool.h"

namespace nm {

struct PoolShape {
  int64_t batch = 1;
  int64_t in_h = 1, in_w = 1;
  int64_t out_h = 1, out_w = 1;
  int64_t channels = 1;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  // Only average pooling with count_include_pad reads them: cells past the padded image do not count (ceil_mode).
  int64_t pad_bottom = 0, pad_right = 0;
};

struct PoolKernels {
  // A window without a cell inside the image gives -infinity.
  void (*max)(const PoolShape& shape, const float* x, int64_t ldx, float* y, int64_t ldy);
  // The same over bytes, dense; a window without a cell gives the lowest number.
  void (*max_i8)(const PoolShape& shape, const int8_t* x, int8_t* y);
  void (*max_u8)(const PoolShape& shape, const uint8_t* x, uint8_t* y);
  void (*average)(const PoolShape& shape, bool count_include_pad, const float* x, int64_t ldx, float* y, int64_t ldy);
  // y[batch, channels] over `pixels` pixels of each image.
  void (*global_max)(int64_t batch, int64_t pixels, int64_t channels, const float* x, int64_t ldx, float* y,
                     int64_t ldy);
  void (*global_average)(int64_t batch, int64_t pixels, int64_t channels, const float* x, int64_t ldx, float* y,
                         int64_t ldy);
};

}  // namespace nm
