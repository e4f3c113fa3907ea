#include "engine/tensor/small_float.h"

#include <bit>
#include <cmath>
#include <limits>

namespace nm {
namespace {

struct Format {
  int mantissa;  // bits
  int bias;
  int largest;       // the code of the largest finite value
  int infinity;      // its code without sign, or -1
  int nan;           // its code
  int sign;          // the sign's bit
  bool signed_zero;  // false: that code is NaN
};

constexpr Format format_of(DType t) {
  switch (t) {
    case DType::Float8E4M3FN:
      return {3, 7, 0x7e, -1, 0x7f, 0x80, true};
    case DType::Float8E4M3FNUZ:
      return {3, 8, 0x7f, -1, 0x80, 0x80, false};
    case DType::Float8E5M2:
      return {2, 15, 0x7b, 0x7c, 0x7e, 0x80, true};
    case DType::Float8E5M2FNUZ:
      return {2, 16, 0x7f, -1, 0x80, 0x80, false};
    default:  // Float4E2M1, which has no NaN: it becomes -0
      return {1, 1, 0x7, -1, 0x8, 0x8, true};
  }
}

float decode_scale(uint8_t bits) {
  if (bits == 0xff) return std::numeric_limits<float>::quiet_NaN();
  return std::ldexp(1.0f, bits - 127);
}

uint8_t encode_scale(float value, Rounding rounding) {
  if (std::isnan(value)) return 0xff;
  const uint32_t f = std::bit_cast<uint32_t>(value) & 0x7fffffffu;
  if (f >= 0x7f800000u) return 0xfe;
  uint32_t exponent = f >> 23;
  const uint32_t fraction = f & 0x7fffffu;
  bool up = rounding == Rounding::Up && fraction != 0;
  if (rounding == Rounding::Nearest) up = fraction >= 0x400000u;
  if (exponent == 0) up = up && fraction > 0x400000u;  // 2^-127 is the subnormal with this fraction
  exponent += up && exponent < 0xfe ? 1 : 0;
  return static_cast<uint8_t>(exponent);
}

}  // namespace

bool is_small_float(DType t) {
  return (t >= DType::Float8E4M3FN && t <= DType::Float8E5M2FNUZ) || t == DType::Float4E2M1 || t == DType::Float8E8M0;
}

float small_to_float(DType t, uint8_t bits) {
  if (t == DType::Float8E8M0) return decode_scale(bits);
  const Format f = format_of(t);
  const float sign = bits & f.sign ? -1.0f : 1.0f;
  const int code = bits & (f.sign - 1);
  if (f.signed_zero ? code > (f.infinity >= 0 ? f.infinity : f.largest) : bits == f.nan) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  if (code == f.infinity) return sign * std::numeric_limits<float>::infinity();
  const int exponent = code >> f.mantissa;
  const int fraction = code & ((1 << f.mantissa) - 1);
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), 1 - f.bias - f.mantissa);
  return sign * std::ldexp(static_cast<float>(fraction + (1 << f.mantissa)), exponent - f.bias - f.mantissa);
}

uint8_t small_from_float(DType t, float value, bool saturate, Rounding rounding) {
  if (t == DType::Float8E8M0) return encode_scale(value, rounding);
  const Format f = format_of(t);
  const int sign = std::signbit(value) ? f.sign : 0;
  if (std::isnan(value)) return static_cast<uint8_t>(f.nan == f.sign ? f.nan : f.nan | sign);
  const float magnitude = std::fabs(value);
  int code = f.largest + 1;
  if (!std::isinf(magnitude)) {
    int exponent = 0;
    std::frexp(magnitude, &exponent);
    const int lowest = 1 - f.bias;
    const int e = magnitude == 0 || exponent - 1 < lowest ? lowest : exponent - 1;
    if (e <= 2 * f.bias + 2) {  // larger ones are out of range whatever the rounding does
      const auto steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, f.mantissa - e)));
      code = ((e - lowest) << f.mantissa) + steps;
    }
  }
  if (code > f.largest) {
    if (saturate || t == DType::Float4E2M1) {
      code = f.largest;
    } else if (f.infinity >= 0) {
      code = f.infinity;
    } else {
      return static_cast<uint8_t>(f.nan == f.sign ? f.nan : f.nan | sign);
    }
  }
  if (code == 0 && !f.signed_zero) return 0;
  return static_cast<uint8_t>(code | sign);
}

}  // namespace nm
