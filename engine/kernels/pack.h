// Reading weights of any source type while packing.
#pragma once
#include <cstdint>
#include <cstring>

#include "engine/kernels/source_type.h"

namespace nm::impl {

// Exact widening of a half, subnormals, infinities and NaN included. A template so that each instruction set has its
// own copy.
template <class A>
float widen_f16(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(h & 0x7fff) << 13;
  float f;
  if ((h & 0x7c00) == 0x7c00) {
    const uint32_t u = sign | magnitude | 0x7f800000;
    std::memcpy(&f, &u, 4);
    return f;
  }
  std::memcpy(&f, &magnitude, 4);
  f *= 0x1p112f;  // moves the exponent's bias, normalising subnormals
  uint32_t u;
  std::memcpy(&u, &f, 4);
  u |= sign;
  std::memcpy(&f, &u, 4);
  return f;
}

template <class A>
float widen_bf16(uint16_t h) {
  const uint32_t u = static_cast<uint32_t>(h) << 16;
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}

// Calls body(read) with read(i) = element i as float; the type is decided once, outside the loops of body.
template <class A, class F>
void with_reader(const void* data, SourceType type, F body) {
  switch (type) {
    case SourceType::F32: {
      const float* p = static_cast<const float*>(data);
      return body([p](int64_t i) { return p[i]; });
    }
    case SourceType::F16: {
      const uint16_t* p = static_cast<const uint16_t*>(data);
      return body([p](int64_t i) { return widen_f16<A>(p[i]); });
    }
    case SourceType::BF16: {
      const uint16_t* p = static_cast<const uint16_t*>(data);
      return body([p](int64_t i) { return widen_bf16<A>(p[i]); });
    }
  }
}

}  // namespace nm::impl
