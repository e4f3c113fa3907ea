// Conversions between f32 and narrower types over contiguous runs.
#pragma once
#include <cstdint>

namespace nm {

// Half and bfloat16 are their bits. Narrowing rounds to nearest even; NaN stays NaN (quiet).
struct ConvertKernels {
  void (*f16_to_f32)(const uint16_t* x, float* y, int64_t n);
  void (*f32_to_f16)(const float* x, uint16_t* y, int64_t n);
  void (*bf16_to_f32)(const uint16_t* x, float* y, int64_t n);
  void (*f32_to_bf16)(const float* x, uint16_t* y, int64_t n);
  // y = (x - zero_point) · scale
  void (*dequantize_i8)(const int8_t* x, float* y, int64_t n, float scale, int32_t zero_point);
  void (*dequantize_u8)(const uint8_t* x, float* y, int64_t n, float scale, int32_t zero_point);
};

}  // namespace nm
