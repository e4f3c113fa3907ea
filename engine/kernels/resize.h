// Resizing channels-last f32 images with coordinates that the caller computed (ONNX has many ways to map them).
#pragma once
#include <cstdint>

#include "engine/base/thread_pool.h"

namespace nm {

// y = (1-weight)·x[low] + weight·x[high] along one axis; indices are inside the input.
struct LinearTap {
  int32_t low = 0;
  int32_t high = 0;
  float weight = 0;
};

struct ResizeKernels {
  // rows[out_h], cols[out_w]: the source index of each output index.
  void (*nearest)(int64_t batch, int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w, int64_t channels,
                  const int32_t* rows, const int32_t* cols, const float* x, int64_t ldx, float* y, int64_t ldy);
  void (*bilinear)(int64_t batch, int64_t in_h, int64_t in_w, int64_t out_h, int64_t out_w, int64_t channels,
                   const LinearTap* rows, const LinearTap* cols, const float* x, int64_t ldx, float* y, int64_t ldy);
};

}  // namespace nm
