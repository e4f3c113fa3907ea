#include "engine/ops/quantized/byte_product.h"

#include <algorithm>
#include <cmath>

namespace nm {

int32_t byte_at(const Tensor& t, int64_t i) {
  return t.dtype() == DType::Int8 ? t.data<int8_t>()[i] : t.data<uint8_t>()[i];
}

Status PackedBytes::pack(const ConvShape& shape, const IntegerWeights& weights, int64_t matrices, int64_t matrix_stride,
                         int64_t zero_stride) {
  const IntegerKernels& kernel = kernels().integer;
  constexpr auto line = static_cast<int64_t>(kAlignment);
  size_ = (kernel.packed_size(shape) + line - 1) / line * line;
  const Size bytes = Size(matrices) * size_;
  data_ = Buffer(bytes);
  if (!data_.ok()) return no_memory("packed 8-bit weights", bytes);
  for (int64_t i = 0; i < matrices; ++i) {
    IntegerWeights one = weights;
    one.w.data = static_cast<const uint8_t*>(weights.w.data) + i * matrix_stride;
    if (one.zeros) one.zeros = static_cast<const uint8_t*>(one.zeros) + i * zero_stride;
    kernel.pack(shape, one, data_.data() + i * size_);
  }
  return {};
}

ConvShape matrix_shape(int64_t m, int64_t k, int64_t n) {
  ConvShape s;
  s.in_w = s.out_w = m;
  s.in_c = k;
  s.out_c = n;
  return s;
}

void quantize_to(IntegerEpilogue& epilogue, DType to, int32_t zero) {
  const bool is_signed = to == DType::Int8;
  epilogue.to = is_signed ? IntegerEpilogue::To::Int8 : IntegerEpilogue::To::UInt8;
  epilogue.zero = zero;
  epilogue.low = is_signed ? -128 : 0;
  epilogue.high = is_signed ? 127 : 255;
}

ByteScale byte_scale(const float* x, int64_t n) {
  float low = 0, high = 0;
  kernels().integer.range(x, n, &low, &high);
  float scale = (high - low) / 255.0f;
  if (scale == 0) scale = 1;  // all are zero
  const float at = std::nearbyint(-low / scale);
  return {scale, static_cast<uint8_t>(at > 0 ? std::min(at, 255.0f) : 0)};  // also where infinities make it NaN
}

Status run_product(const Execution& execution, const IntegerProduct& product) {
  const IntegerKernels& kernel = kernels().integer;
  NM_ASSIGN(uint8_t * scratch, execution.scratch<uint8_t>(Size(kernel.scratch_size(product.shape))));
  kernel.run(product, scratch);
  return {};
}

}  // namespace nm
