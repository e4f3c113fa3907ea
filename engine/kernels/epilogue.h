// What a matrix product or a convolution does to its sums before they are stored.
#pragma once
#include <cstdint>

namespace nm {

enum class Activation : uint8_t {
  None,
  Relu,
  Clip,       // a = low, b = high
  LeakyRelu,  // a = slope below zero
  Sigmoid,
  Tanh,
  Silu,         // x · sigmoid(x)
  HardSwish,    // x · clip(x/6 + 1/2, 0, 1)
  HardSigmoid,  // clip(a·x + b, 0, 1)
  Gelu,         // by erf
  GeluTanh,     // by tanh
};

// y = act(sum + bias + residual), or act(sum + bias) + residual when `residual_last`.
struct Epilogue {
  const float* bias = nullptr;      // one per output column (channel); null = zero
  const float* residual = nullptr;  // one per output element; null = none. May be the output itself.
  int64_t ldr = 0;                  // elements between rows (pixels) of the residual
  bool residual_last = false;
  Activation activation = Activation::None;
  float a = 0;
  float b = 0;
};

}  // namespace nm
