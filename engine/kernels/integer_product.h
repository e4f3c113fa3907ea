// Matrix products and 2-D convolutions of 8-bit integers, summed exactly in 32 bits (modulo 2^32), and what becomes of
// the sums. Images are channels-last as in conv.h; a matrix product is a 1×1 convolution over an image of one row,
// whose pixels are the rows of A. Sizes and strides are in elements.
//
// Weights are packed as signed bytes, so they take no more memory than before; activations become 16 bits without their
// zero point block by block. Results have the same bits on every instruction set and with any number of threads.
#pragma once
#include <cstdint>

#include "engine/base/thread_pool.h"
#include "engine/kernels/conv.h"

namespace nm {

// A matrix of bytes: int8_t or uint8_t.
struct ByteMatrix {
  const void* data = nullptr;
  bool is_signed = false;
};

struct IntegerEpilogue {
  enum class To : uint8_t {
    Int32,    // sum + bias
    Float32,  // float(sum + bias) · scale + offset
    Int8,     // round(float(sum + bias) · scale) + zero within [low, high], halves to even, NaN becomes low
    UInt8,
  };
  To to = To::Int32;
  const int32_t* bias = nullptr;   // one per output column (channel); null = zero
  const float* scales = nullptr;   // one per column; not read for Int32
  const float* offsets = nullptr;  // one per column, for Float32; null = zero
  int32_t zero = 0, low = 0, high = 255;
};

struct IntegerProduct {
  ConvShape shape;  // winograd is not read
  ByteMatrix x;
  int64_t ldx = 0;                // >= in_c
  const void* x_zeros = nullptr;  // zero points, of x's type: one, or one per pixel; null = zero
  bool zero_per_pixel = false;    // matrix products only
  const uint8_t* packed = nullptr;
  void* y = nullptr;
  int64_t ldy = 0;  // >= out_c
  IntegerEpilogue epilogue;
};

// Weights as they come: element (o, c, t) of output o, input channel c of its group and tap t is at
// data[o·out_stride + c·in_stride + t·tap_stride].
struct IntegerWeights {
  ByteMatrix w;
  int64_t out_stride = 0, in_stride = 0, tap_stride = 0;
  const void* zeros = nullptr;  // zero points, of w's type: one, or one per output with zero_step 1; null = zero
  int64_t zero_step = 0;
};

struct IntegerKernels {
  // Bytes of packed weights, which want an alignment of 4. As in ConvKernels, packing reads only channels, kernel,
  // stride, dilation and groups of the shape.
  int64_t (*packed_size)(const ConvShape& shape);
  void (*pack)(const ConvShape& shape, const IntegerWeights& weights, uint8_t* packed);
  // Bytes of scratch that run needs with the pool as it is; it wants an alignment of 8.
  int64_t (*scratch_size)(const ConvShape& shape);
  void (*run)(const IntegerProduct& product, uint8_t* scratch);

  // What run does to finished sums, for those that were made otherwise: rows × columns of them, dense, to a dense y.
  void (*finish)(const IntegerEpilogue& epilogue, const int32_t* sums, int64_t rows, int64_t columns, void* y);

  // y = round(x / scale) + zero within the type's range, halves to even, NaN becomes the lowest number.
  void (*quantize)(const float* x, uint8_t* y, int64_t n, float scale, int32_t zero, bool is_signed);
  // The smallest and the largest of n numbers and 0; NaN is passed over.
  void (*range)(const float* x, int64_t n, float* low, float* high);
};

}  // namespace nm
