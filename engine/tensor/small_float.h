// Floats of 8 and 4 bits: float8 in its ONNX variants, float4e2m1 and the exponent-only float8e8m0.
#pragma once
#include <cstdint>

#include "engine/tensor/dtype.h"

namespace nm {

enum class Rounding : uint8_t { Up, Down, Nearest };  // of float8e8m0 only; the others round to nearest even

bool is_small_float(DType t);

float small_to_float(DType t, uint8_t bits);
// `saturate`: values out of range, infinities included, become the largest finite value; else infinity or NaN,
// whichever the type has. float4e2m1 and float8e8m0 always saturate.
uint8_t small_from_float(DType t, float value, bool saturate, Rounding rounding);

}  // namespace nm
