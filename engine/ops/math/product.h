// Matrix products with broadcasting, as MatMul and its relatives share them.
#pragma once
#include "engine/base/memory.h"
#include "engine/kernels/kernels.h"
#include "engine/op/operator.h"

namespace nm {

// How a tensor is read as matrices: the last two dimensions, swapped when `transposed`.
struct Operands {
  bool transpose_a = false;
  bool transpose_b = false;
  float alpha = 1;
};

// The geometry of A·B. 1-D operands are a row and a column, which the result drops again.
struct ProductShape {
  Shape a_batch, b_batch, batch;  // dimensions before the last two
  int64_t m = 0, n = 0, k = 0;    // unknown dimensions are negative
  Shape out;

  static Result<ProductShape> of(const Shape& a, const Shape& b, const Operands& operands);
  double flops() const { return out.known() ? 2.0 * static_cast<double>(out.count()) * static_cast<double>(k) : 0; }
};

// The result's type, of inputs 0 and 1, which are tensors of numbers. Beside float32 the right matrix may have 16 bits:
// the pass that widens leaves constants for `prepare`, which packs them.
Result<DType> product_type(const Inference& inference);

// A constant B, each of its matrices packed for the GEMM kernel.
class PackedMatrices {
 public:
  // `b` is float32, float16 or bfloat16.
  Status pack(const Tensor& b, const Operands& operands);
  bool ok() const { return data_.ok(); }
  size_t bytes() const { return data_.size(); }
  const float* matrix(int64_t i) const { return reinterpret_cast<const float*>(data_.data()) + i * size_; }

 private:
  Buffer data_;
  int64_t size_ = 0;  // floats of one matrix
};

// float32: out = epilogue(alpha · A·B). `b` is not read when it is packed. The epilogue's residual has out's layout.
Status multiply(Execution& execution, const Tensor& a, const Tensor& b, const PackedMatrices& packed,
                const Operands& operands, Epilogue epilogue, Tensor& out);
// float64 and integers, which wrap around.
Status multiply_generic(const Tensor& a, const Tensor& b, Tensor& out);

}  // namespace nm
