// The number types that arithmetic is done in. float16 and bfloat16 are widened to float32 by a graph pass before an
// operator runs, so inference takes them and `run` never meets them.
#pragma once
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "engine/base/selection.h"
#include "engine/base/thread_pool.h"
#include "engine/op/operator.h"

namespace nm {

inline bool is_integer(DType t) {
  return t == DType::Int8 || t == DType::Int16 || t == DType::Int32 || t == DType::Int64 || t == DType::UInt8 ||
         t == DType::UInt16 || t == DType::UInt32 || t == DType::UInt64;
}

// Input i is a float of any width, as far as is known.
Status check_float(const Inference& inference, size_t i, std::string_view what);
// Input i is a float or an integer, as far as is known.
Status check_number(const Inference& inference, size_t i, std::string_view what);
// Output `o` is like input `i`.
void output_like(Inference& inference, size_t o, size_t i);

Status no_arithmetic(DType dtype);

// f.operator()<T>(), in builds that have the type.
template <class T, class F>
Status call_with(F& f) {
  if constexpr (selection::has_type(static_cast<int>(dtype_of<T>))) {
    return f.template operator()<T>();
  } else {
    return no_arithmetic(dtype_of<T>);
  }
}

// Calls f.operator()<T>(), which returns Status, with the type of the elements.
template <class F>
Status with_float(DType dtype, F&& f) {
  if (dtype == DType::Float32) return call_with<float>(f);
  if (dtype == DType::Float64) return call_with<double>(f);
  return no_arithmetic(dtype);
}

template <class F>
Status with_integer(DType dtype, F&& f) {
  switch (dtype) {
    case DType::Int8:
      return call_with<int8_t>(f);
    case DType::Int16:
      return call_with<int16_t>(f);
    case DType::Int32:
      return call_with<int32_t>(f);
    case DType::Int64:
      return call_with<int64_t>(f);
    case DType::UInt8:
      return call_with<uint8_t>(f);
    case DType::UInt16:
      return call_with<uint16_t>(f);
    case DType::UInt32:
      return call_with<uint32_t>(f);
    case DType::UInt64:
      return call_with<uint64_t>(f);
    default:
      return no_arithmetic(dtype);
  }
}

template <class F>
Status with_number(DType dtype, F&& f) {
  return dtype == DType::Float32 || dtype == DType::Float64 ? with_float(dtype, f) : with_integer(dtype, f);
}

// Integers wrap around, as they do in NumPy; signed overflow would be undefined in C++.
template <class T>
using Wrapping = std::conditional_t<std::is_integral_v<T>, std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>, T>;
template <class T>
T add(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
}
template <class T>
T subtract(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
}
template <class T>
T multiply(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
}

// The nearest integer towards zero, at the ends of the range where there is none; NaN is the lowest.
inline int64_t to_integer(double v) {
  constexpr double kEnd = 9223372036854774784.0;  // the largest double below 2^63
  return static_cast<int64_t>(v > -kEnd ? (v < kEnd ? v : kEnd) : -kEnd);
}

// A double as a T: converting one that does not fit an integer would be undefined in C++.
template <class T>
T from_double(double v) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(to_integer(v));
  } else {
    return static_cast<T>(v);
  }
}

// What numbers of type T are added up in, and counted in, for their mean: 256 is 0 as a byte, and so may their sum be.
template <class T>
using Total = std::conditional_t<std::is_integral_v<T>, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>, T>;
template <class T>
T mean_of(Total<T> total, int64_t count) {
  return static_cast<T>(total / static_cast<Total<T>>(count));
}

// Elementwise work for one thread is not worth splitting below this.
inline constexpr int64_t kElementChunk = 16384;

// body(begin, end) over [0, count), on several threads when there is enough to do.
template <class F>
void for_elements(int64_t count, F&& body) {
  thread_pool::parallel_for(count, kElementChunk, [&](int64_t begin, int64_t end, int) { body(begin, end); });
}

// body(begin, end) over rows of `row` elements each.
template <class F>
void for_rows(int64_t rows, int64_t row, F&& body) {
  const int64_t chunk = row >= kElementChunk ? 1 : kElementChunk / (row > 0 ? row : 1);
  thread_pool::parallel_for(rows, chunk, [&](int64_t begin, int64_t end, int) { body(begin, end); });
}

// body(begin, end) over columns of `column` elements each. Neighbours share cache lines: 32 of them at least go
// together.
template <class F>
void for_columns(int64_t columns, int64_t column, F&& body) {
  constexpr int64_t least = 32;
  const int64_t chunk = column * least >= kElementChunk ? least : kElementChunk / (column > 0 ? column : 1);
  thread_pool::parallel_for(columns, chunk, [&](int64_t begin, int64_t end, int) { body(begin, end); });
}

}  // namespace nm
