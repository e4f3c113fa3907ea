// What a matrix product or a convolution does to its sums before they are stored.
#pragma once
#include <cstdint>

#include "engine/kernels/elementwise.h"

namespace nm {

// y = act(sum + bias + residual), or act(sum + bias) + residual when `residual_last`.
struct Epilogue {
  const float* bias = nullptr;      // one per output column (channel); null = zero
  const float* residual = nullptr;  // one per output element; null = none. May be the output itself.
  int64_t ldr = 0;                  // elements between rows (pixels) of the residual
  bool residual_last = false;
  Unary activation = Unary::Copy;
  float a = 0;  // the activation's parameters
  float b = 0;
};

}  // namespace nm
