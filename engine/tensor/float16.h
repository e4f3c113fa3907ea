// IEEE half and bfloat16 as storage types: they widen to float for arithmetic and round to nearest even back.
// Eigen has the same scalars, but its header costs every translation unit a second to compile.
#pragma once
#include <bit>
#include <cstdint>

namespace nm {

struct float16 {
  uint16_t bits = 0;

  float16() = default;
  explicit float16(float value) : bits(from_float(value)) {}
  operator float() const { return to_float(bits); }  // NOLINT(google-explicit-constructor)

  static constexpr float to_float(uint16_t half) {
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
    const uint32_t rest = half & 0x7fffu;
    if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    if (rest >= 0x0400u) return std::bit_cast<float>(sign | ((rest << 13) + 0x38000000u));
    const float magnitude = static_cast<float>(rest) * 0x1p-24f;  // zero and subnormals
    return sign ? -magnitude : magnitude;
  }

  static constexpr uint16_t from_float(float value) {
    const uint32_t f = std::bit_cast<uint32_t>(value);
    const uint16_t sign = static_cast<uint16_t>(f >> 16 & 0x8000u);
    const uint32_t magnitude = f & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return sign | 0x7e00u;   // NaN
    if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // rounds to infinity
    if (magnitude < 0x38800000u) {                        // subnormal: let float addition do the rounding
      const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
      return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(shifted) - 0x3f000000u);
    }
    const uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
    return sign | static_cast<uint16_t>((rounded - 0x38000000u) >> 13);
  }
};

struct bfloat16 {
  uint16_t bits = 0;

  bfloat16() = default;
  explicit bfloat16(float value) : bits(from_float(value)) {}
  operator float() const { return to_float(bits); }  // NOLINT(google-explicit-constructor)

  static constexpr float to_float(uint16_t b) { return std::bit_cast<float>(static_cast<uint32_t>(b) << 16); }

  static constexpr uint16_t from_float(float value) {
    const uint32_t f = std::bit_cast<uint32_t>(value);
    if ((f & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(f >> 16 | 0x40u);
    return static_cast<uint16_t>((f + 0x7fffu + (f >> 16 & 1u)) >> 16);
  }
};

}  // namespace nm
