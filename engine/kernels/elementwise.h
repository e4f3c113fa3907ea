// f32 arithmetic over contiguous runs. The caller broadcasts by looping over runs and splits work over threads.
// Output may be an input (in place); otherwise runs must not overlap.
#pragma once
#include <cstdint>
#include <variant>

namespace nm {

// a and b are the parameters of those that have any.
enum class Unary : uint8_t {
  Copy,
  Abs,
  Neg,
  Exp,
  Log,
  Sqrt,
  PowerOfHalf,  // as Sqrt, but 0 of -0 and ∞ of -∞, as a power has it
  Rsqrt,
  Reciprocal,
  Square,
  Erf,
  Tanh,
  Sigmoid,
  Relu,
  Clip,       // a = low, b = high; NaN stays NaN
  LeakyRelu,  // a = slope
  Elu,        // a = alpha
  Selu,       // a = alpha, b = gamma
  Celu,       // a = alpha
  Softplus,
  Softsign,
  HardSigmoid,  // a = alpha, b = beta
  HardSwish,
  Silu,
  Gelu,  // by erf
  GeluTanh,
  QuickGelu,  // x · sigmoid(a·x)
  Mish,
  ThresholdedRelu,  // a = alpha
  Shrink,           // a = lambd, b = bias
  Affine,           // a·x + b
  Floor,
  Ceil,
  Round,  // halves to even
  Sign,
  Sin,
  Cos,
  Tan,
  Asin,
  Acos,
  Atan,
  Sinh,
  Cosh,
  Asinh,
  Acosh,
  Atanh,
};

enum class Binary : uint8_t {
  Add,
  Sub,
  Mul,
  Div,
  Min,  // NaN if either is
  Max,  // NaN if either is
  Pow,
  Prelu,  // x < 0 ? x·y : x
  SquaredDifference,
};

// A kernel by its name, with its parameters.
struct Pointwise {
  std::variant<Unary, Binary> f;
  float a = 0, b = 0;  // of Unary
};

struct ElementwiseKernels {
  void (*unary)(Unary op, const float* x, float* y, int64_t n, float a, float b);
  void (*binary)(Binary op, const float* x, const float* y, float* z, int64_t n);
  void (*binary_vs)(Binary op, const float* x, float y, float* z, int64_t n);  // vector ∘ scalar
  void (*binary_sv)(Binary op, float x, const float* y, float* z, int64_t n);  // scalar ∘ vector
  // z = x·y + w (w may be z)
  void (*multiply_add)(const float* x, const float* y, const float* w, float* z, int64_t n);
  // z[r·ldz + i] = x[r·ldx + i] · y[i] + w[i]: a per-channel affine over rows; y or w may be null.
  void (*row_affine)(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* y, const float* w, float* z,
                     int64_t ldz);
  // y = (x - center)·factor + offset: a normalisation, which has to subtract first, or large means take all digits.
  void (*normalize)(const float* x, float* y, int64_t n, float center, float factor, float offset);
  // The same over rows, with numbers of its own for each column.
  void (*row_normalize)(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* center, const float* factor,
                        const float* offset, float* y, int64_t ldy);
};

}  // namespace nm
