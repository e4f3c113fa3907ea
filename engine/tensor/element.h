// Moving elements without looking at them: code is made once for each size, not for each type.
#pragma once
#include <cstdint>
#include <string>

#include "engine/base/selection.h"
#include "engine/tensor/dtype.h"

namespace nm {

struct Bytes16 {
  uint64_t low, high;
};

// Several elements share a byte.
inline bool is_packed(DType t) { return dtype_bits(t) > 0 && dtype_bits(t) < 8; }

// Calls f.operator()<T>() with a T of the element's size: uint8_t … uint64_t, Bytes16 or std::string.
// False for packed types, for which nothing is called, and for types that a reduced build lacks.
template <class F>
bool with_element(DType dtype, F&& f) {
  if constexpr (selection::has_type(static_cast<int>(DType::String))) {
    if (dtype == DType::String) {
      f.template operator()<std::string>();
      return true;
    }
  }
  const auto call = [&]<class T>() {
    constexpr bool is_there = selection::has_size(sizeof(T));
    if constexpr (is_there) f.template operator()<T>();
    return is_there;
  };
  switch (dtype_bits(dtype)) {
    case 8:
      return call.template operator()<uint8_t>();
    case 16:
      return call.template operator()<uint16_t>();
    case 32:
      return call.template operator()<uint32_t>();
    case 64:
      return call.template operator()<uint64_t>();
    case 128:
      return call.template operator()<Bytes16>();
    default:
      return false;
  }
}

// Element i of packed data, as its bits.
inline uint8_t packed_get(const void* data, int64_t i, int bits) {
  const int64_t at = i * bits;
  return static_cast<uint8_t>(static_cast<const uint8_t*>(data)[at >> 3] >> (at & 7) & ((1 << bits) - 1));
}
inline void packed_set(void* data, int64_t i, int bits, uint8_t value) {
  const int64_t at = i * bits;
  const int mask = ((1 << bits) - 1) << (at & 7);
  uint8_t& byte = static_cast<uint8_t*>(data)[at >> 3];
  byte = static_cast<uint8_t>((byte & ~mask) | (value << (at & 7) & mask));
}

}  // namespace nm
