// Numbers as integers that sort the same way, so that sorting is compiled once for all types.
#pragma once
#include <bit>
#include <cstdint>

#include "engine/tensor/element.h"
#include "engine/tensor/tensor.h"

namespace nm {

namespace detail {

// Both zeros are one number; NaN sorts above everything.
inline int64_t order_key(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x + 0.0f);
  if (x != x) return INT64_MAX;
  return bits < 0 ? static_cast<int64_t>(bits ^ 0x7fffffff) : bits;
}
inline int64_t order_key(double x) {
  const int64_t bits = std::bit_cast<int64_t>(x + 0.0);
  if (x != x) return INT64_MAX;
  return bits < 0 ? bits ^ INT64_MAX : bits;
}
inline int64_t order_key(uint64_t x) { return static_cast<int64_t>(x ^ (1ull << 63)); }
inline int64_t order_key(float16 x) { return order_key(static_cast<float>(x)); }
inline int64_t order_key(bfloat16 x) { return order_key(static_cast<float>(x)); }
inline int64_t order_key(int64_t x) { return x; }
inline int64_t order_key(int32_t x) { return x; }
inline int64_t order_key(uint32_t x) { return x; }
inline int64_t order_key(int16_t x) { return x; }
inline int64_t order_key(uint16_t x) { return x; }
inline int64_t order_key(int8_t x) { return x; }
inline int64_t order_key(uint8_t x) { return x; }

}  // namespace detail

// f(i, key) for i < n, of the elements first + i * step. False for types without order: nothing is called.
template <class F>
bool for_order_keys(const Tensor& t, int64_t first, int64_t step, int64_t n, F&& f) {
  const auto all = [&]<class T>() {
    const T* x = static_cast<const T*>(t.raw()) + first;
    for (int64_t i = 0; i < n; ++i) f(i, detail::order_key(x[i * step]));
    return true;
  };
  switch (t.dtype()) {
    case DType::Float32:
      return all.template operator()<float>();
    case DType::Float64:
      return all.template operator()<double>();
    case DType::Float16:
      return all.template operator()<float16>();
    case DType::BFloat16:
      return all.template operator()<bfloat16>();
    case DType::Int64:
      return all.template operator()<int64_t>();
    case DType::Int32:
      return all.template operator()<int32_t>();
    case DType::Int16:
      return all.template operator()<int16_t>();
    case DType::Int8:
      return all.template operator()<int8_t>();
    case DType::UInt64:
      return all.template operator()<uint64_t>();
    case DType::UInt32:
      return all.template operator()<uint32_t>();
    case DType::UInt16:
      return all.template operator()<uint16_t>();
    case DType::UInt8:
    case DType::Bool:
      return all.template operator()<uint8_t>();
    default:
      return false;
  }
}

}  // namespace nm
