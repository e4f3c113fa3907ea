// What operators that multiply matrices or images of 8-bit integers share: the way from their tensors to the kernels.
#pragma once
#include "engine/base/memory.h"
#include "engine/kernels/kernels.h"
#include "engine/op/operator.h"

namespace nm {

inline bool is_byte(DType t) { return t == DType::Int8 || t == DType::UInt8; }
// An element of an int8 or uint8 tensor.
int32_t byte_at(const Tensor& t, int64_t i);

inline const Tensor* input_or_null(const Execution& execution, size_t i) {
  return execution.has(i) ? &execution.input(i) : nullptr;
}
inline const void* raw_or_null(const Tensor* t) { return t ? t->raw() : nullptr; }

// Weights packed for the kernel: matrices of one shape, one after another.
class PackedBytes {
 public:
  // `weights` is the first matrix; the others follow at distances of matrix_stride, their zero points of zero_stride.
  Status pack(const ConvShape& shape, const IntegerWeights& weights, int64_t matrices = 1, int64_t matrix_stride = 0,
              int64_t zero_stride = 0);
  bool ok() const { return data_.ok(); }
  size_t bytes() const { return data_.size(); }
  const uint8_t* matrix(int64_t i) const { return data_.data() + i * size_; }

 private:
  Buffer data_;
  int64_t size_ = 0;
};

// A·B as the kernel sees it.
ConvShape matrix_shape(int64_t m, int64_t k, int64_t n);

// Results of type `to` (int8 or uint8) around `zero`.
void quantize_to(IntegerEpilogue& epilogue, DType to, int32_t zero);

// The scale and zero point of uint8 that DynamicQuantizeLinear finds for n numbers.
struct ByteScale {
  float scale = 1;
  uint8_t zero = 0;
};
ByteScale byte_scale(const float* x, int64_t n);

// Runs the kernel with scratch of the step.
Status run_product(const Execution& execution, const IntegerProduct& product);

}  // namespace nm
