// Element types, with ONNX's TensorProto.DataType numbers.
#pragma once
#include <complex>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/size.h"
#include "engine/tensor/float16.h"

namespace nm {

enum class DType : uint8_t {
  Undefined = 0,
  Float32 = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Float64 = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
};
inline constexpr int kDTypeCount = 27;

// "float32", "int64", "bfloat16", …; "undefined" for anything else.
std::string_view dtype_name(DType dtype);
bool dtype_valid(int64_t number);  // a known type other than Undefined

// Bits of one element as stored: 4- and 2-bit types are packed, first element in the low bits. A string
// element is a std::string.
int dtype_bits(DType dtype);
// Bytes of `count` elements, packed types rounded up.
Size dtype_bytes(DType dtype, Size count);
// Bytes before element `index` of a tensor that exists.
int64_t dtype_offset(DType dtype, int64_t index);

inline bool is_float(DType t) {
  return t == DType::Float32 || t == DType::Float64 || t == DType::Float16 || t == DType::BFloat16;
}

namespace detail {
template <class T>
struct DTypeOf;
template <DType D>
struct Is {
  static constexpr DType value = D;
};
template <>
struct DTypeOf<float> : Is<DType::Float32> {};
template <>
struct DTypeOf<double> : Is<DType::Float64> {};
template <>
struct DTypeOf<float16> : Is<DType::Float16> {};
template <>
struct DTypeOf<bfloat16> : Is<DType::BFloat16> {};
template <>
struct DTypeOf<uint8_t> : Is<DType::UInt8> {};
template <>
struct DTypeOf<int8_t> : Is<DType::Int8> {};
template <>
struct DTypeOf<uint16_t> : Is<DType::UInt16> {};
template <>
struct DTypeOf<int16_t> : Is<DType::Int16> {};
template <>
struct DTypeOf<uint32_t> : Is<DType::UInt32> {};
template <>
struct DTypeOf<int32_t> : Is<DType::Int32> {};
template <>
struct DTypeOf<uint64_t> : Is<DType::UInt64> {};
template <>
struct DTypeOf<int64_t> : Is<DType::Int64> {};
template <>
struct DTypeOf<bool> : Is<DType::Bool> {};
template <>
struct DTypeOf<std::string> : Is<DType::String> {};
template <>
struct DTypeOf<std::complex<float>> : Is<DType::Complex64> {};
template <>
struct DTypeOf<std::complex<double>> : Is<DType::Complex128> {};
}  // namespace detail

template <class T>
inline constexpr DType dtype_of = detail::DTypeOf<T>::value;

}  // namespace nm
