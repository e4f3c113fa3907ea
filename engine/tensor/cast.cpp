// Types are read into and written from one of two wide ones, double and int64, by blocks; so N types need 2·N loops
// and not N². Pairs that models are full of have a loop of their own.
#include "engine/tensor/cast.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/number_text.h"
#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/tensor/element.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

constexpr int64_t kBlock = 256;
constexpr int64_t kChunk = 64 * kBlock;  // per thread; a multiple of the elements that share a byte

bool is_real(DType t) { return is_float(t) || is_small_float(t); }

bool is_signed_packed(DType t) { return t == DType::Int4 || t == DType::Int2; }

template <class From, class To>
void convert(const void* from, int64_t at, int64_t n, To* to) {
  const From* source = static_cast<const From*>(from) + at;
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<To>(source[i]);
}

void read_real(DType t, const void* from, int64_t at, int64_t n, double* to) {
  switch (t) {
    case DType::Float32:
      return convert<float>(from, at, n, to);
    case DType::Float64:
      return convert<double>(from, at, n, to);
    case DType::Float16:
      return convert<float16>(from, at, n, to);
    case DType::BFloat16:
      return convert<bfloat16>(from, at, n, to);
    default: {
      const int bits = dtype_bits(t);
      for (int64_t i = 0; i < n; ++i) to[i] = small_to_float(t, packed_get(from, at + i, bits));
    }
  }
}

void read_integer(DType t, const void* from, int64_t at, int64_t n, int64_t* to) {
  switch (t) {
    case DType::Bool:
    case DType::UInt8:
      return convert<uint8_t>(from, at, n, to);
    case DType::Int8:
      return convert<int8_t>(from, at, n, to);
    case DType::UInt16:
      return convert<uint16_t>(from, at, n, to);
    case DType::Int16:
      return convert<int16_t>(from, at, n, to);
    case DType::UInt32:
      return convert<uint32_t>(from, at, n, to);
    case DType::Int32:
      return convert<int32_t>(from, at, n, to);
    case DType::UInt64:
    case DType::Int64:
      return convert<int64_t>(from, at, n, to);
    default: {
      const int bits = dtype_bits(t);
      const int sign = is_signed_packed(t) ? 1 << (bits - 1) : 0;
      for (int64_t i = 0; i < n; ++i) to[i] = (packed_get(from, at + i, bits) ^ sign) - sign;
    }
  }
}

// A float that rounds to any narrower type as the double itself would: inexact results get an odd last bit.
float round_to_odd(double x) {
  const auto f = static_cast<float>(x);
  if (static_cast<double>(f) == x || std::isnan(x) || std::isinf(f)) return f;
  const auto bits = std::bit_cast<uint32_t>(f);
  if (bits & 1) return f;
  const bool outwards = std::fabs(static_cast<double>(f)) < std::fabs(x);
  return std::bit_cast<float>(outwards ? bits + 1 : bits - 1);
}

void write_real(DType t, const double* from, int64_t n, void* to, int64_t at, const CastOptions& options) {
  switch (t) {
    case DType::Float32:
      std::copy_n(from, n, static_cast<float*>(to) + at);
      return;
    case DType::Float64:
      std::copy_n(from, n, static_cast<double*>(to) + at);
      return;
    case DType::Float16:
      for (int64_t i = 0; i < n; ++i) static_cast<float16*>(to)[at + i] = float16(round_to_odd(from[i]));
      return;
    case DType::BFloat16:
      for (int64_t i = 0; i < n; ++i) static_cast<bfloat16*>(to)[at + i] = bfloat16(round_to_odd(from[i]));
      return;
    default: {
      const int bits = dtype_bits(t);
      for (int64_t i = 0; i < n; ++i) {
        packed_set(to, at + i, bits, small_from_float(t, round_to_odd(from[i]), options.saturate, options.rounding));
      }
    }
  }
}

void write_integer(DType t, const int64_t* from, int64_t n, void* to, int64_t at) {
  switch (t) {
    case DType::Bool:
      for (int64_t i = 0; i < n; ++i) static_cast<bool*>(to)[at + i] = from[i] != 0;
      return;
    case DType::UInt8:
    case DType::Int8:
      std::copy_n(from, n, static_cast<uint8_t*>(to) + at);
      return;
    case DType::UInt16:
    case DType::Int16:
      std::copy_n(from, n, static_cast<uint16_t*>(to) + at);
      return;
    case DType::UInt32:
    case DType::Int32:
      std::copy_n(from, n, static_cast<uint32_t*>(to) + at);
      return;
    case DType::UInt64:
    case DType::Int64:
      std::copy_n(from, n, static_cast<int64_t*>(to) + at);
      return;
    default: {
      const int bits = dtype_bits(t);
      for (int64_t i = 0; i < n; ++i) packed_set(to, at + i, bits, static_cast<uint8_t>(from[i]));
    }
  }
}

// C++ leaves conversions out of range undefined; here they end at the type's limits and NaN is 0.
int64_t truncate(double x, DType to) {
  if (to == DType::Bool) return x != 0;
  if (std::isnan(x)) return 0;
  const auto within = [x](double low, double high) { return static_cast<int64_t>(std::clamp(x, low, high)); };
  switch (to) {
    case DType::UInt64:
      if (x >= 0x1p63) return static_cast<int64_t>(x >= 0x1p64 ? UINT64_MAX : static_cast<uint64_t>(x));
      return within(-0x1p63, 0x1p63);
    case DType::UInt32:
      return within(-0x1p31, 0x1p32 - 1);
    case DType::Int64:
      return x >= 0x1p63 ? INT64_MAX : within(-0x1p63, 0x1p63);
    default:
      return within(-0x1p31, 0x1p31 - 1);
  }
}

void cast_block(const Tensor& from, Tensor& to, int64_t at, int64_t n, const CastOptions& options) {
  double reals[kBlock];
  int64_t integers[kBlock];
  if (is_real(from.dtype())) {
    read_real(from.dtype(), from.raw(), at, n, reals);
    if (is_real(to.dtype())) return write_real(to.dtype(), reals, n, to.raw(), at, options);
    for (int64_t i = 0; i < n; ++i) integers[i] = truncate(reals[i], to.dtype());
    return write_integer(to.dtype(), integers, n, to.raw(), at);
  }
  read_integer(from.dtype(), from.raw(), at, n, integers);
  if (!is_real(to.dtype())) return write_integer(to.dtype(), integers, n, to.raw(), at);
  const bool is_unsigned = from.dtype() == DType::UInt64;
  for (int64_t i = 0; i < n; ++i) {
    reals[i] = is_unsigned ? static_cast<double>(static_cast<uint64_t>(integers[i])) : static_cast<double>(integers[i]);
  }
  write_real(to.dtype(), reals, n, to.raw(), at, options);
}

using Direct = void (*)(const void* from, void* to, int64_t at, int64_t n);

template <class From, class To>
void direct(const void* from, void* to, int64_t at, int64_t n) {
  convert<From>(from, at, n, static_cast<To*>(to) + at);
}

Direct direct_for(DType from, DType to) {
  const auto pair = [&](DType f, DType t) { return from == f && to == t; };
  if (pair(DType::Int64, DType::Float32)) return direct<int64_t, float>;
  if (pair(DType::Int32, DType::Float32)) return direct<int32_t, float>;
  if (pair(DType::UInt8, DType::Float32) || pair(DType::Bool, DType::Float32)) return direct<uint8_t, float>;
  if (pair(DType::Int8, DType::Float32)) return direct<int8_t, float>;
  if (pair(DType::Int64, DType::Int32)) return direct<int64_t, int32_t>;
  if (pair(DType::Int32, DType::Int64)) return direct<int32_t, int64_t>;
  if (pair(DType::Bool, DType::Int64)) return direct<uint8_t, int64_t>;
  if (pair(DType::Float32, DType::Bool)) return direct<float, bool>;
  if (pair(DType::Float16, DType::Float32)) {
    return [](const void* f, void* t, int64_t at, int64_t n) {
      kernels().convert.f16_to_f32(static_cast<const uint16_t*>(f) + at, static_cast<float*>(t) + at, n);
    };
  }
  if (pair(DType::Float32, DType::Float16)) {
    return [](const void* f, void* t, int64_t at, int64_t n) {
      kernels().convert.f32_to_f16(static_cast<const float*>(f) + at, static_cast<uint16_t*>(t) + at, n);
    };
  }
  if (pair(DType::BFloat16, DType::Float32)) {
    return [](const void* f, void* t, int64_t at, int64_t n) {
      kernels().convert.bf16_to_f32(static_cast<const uint16_t*>(f) + at, static_cast<float*>(t) + at, n);
    };
  }
  if (pair(DType::Float32, DType::BFloat16)) {
    return [](const void* f, void* t, int64_t at, int64_t n) {
      kernels().convert.f32_to_bf16(static_cast<const float*>(f) + at, static_cast<uint16_t*>(t) + at, n);
    };
  }
  return nullptr;
}

void to_text(const Tensor& from, Tensor& to) {
  auto* out = to.data<std::string>();
  const DType t = from.dtype();
  for (int64_t i = 0; i < from.count() && !memory_exhausted(); ++i) {
    if (is_real(t)) {
      double x = 0;
      read_real(t, from.raw(), i, 1, &x);
      out[i] = real_text(x, t == DType::Float64);
      continue;
    }
    int64_t x = 0;
    read_integer(t, from.raw(), i, 1, &x);
    out[i] = t == DType::Bool     ? (x != 0 ? "True" : "False")
             : t == DType::UInt64 ? text(static_cast<uint64_t>(x))
                                  : text(x);
  }
}

Status from_text(const Tensor& from, Tensor& to, const CastOptions& options) {
  for (int64_t i = 0; i < from.count(); ++i) {
    const std::string& s = from.data<std::string>()[i];
    const bool real = is_real(to.dtype());
    int64_t x = 0;
    if (!real && parse_integer(s, x)) {
      write_integer(to.dtype(), &x, 1, to.raw(), i);
      continue;
    }
    double y = 0;
    if (!parse_real(s, y)) {
      return {Code::InvalidData,
              text("the text '", s.substr(0, 40), "' is no number and cannot be made ", dtype_name(to.dtype()))};
    }
    if (real) {
      write_real(to.dtype(), &y, 1, to.raw(), i, options);
    } else {
      x = truncate(y, to.dtype());
      write_integer(to.dtype(), &x, 1, to.raw(), i);
    }
  }
  return {};
}

}  // namespace

bool can_cast(DType t) { return t != DType::Undefined && t != DType::Complex64 && t != DType::Complex128; }

Status cast(const Tensor& from, Tensor& to, const CastOptions& options) {
  if (from.dtype() == to.dtype()) {
    copy_all(from, to);
    return {};
  }
  if (to.dtype() == DType::String) {
    to_text(from, to);
    return {};
  }
  // The bits behind the last element of a packed type are zero.
  if (is_packed(to.dtype()) && to.count() > 0) static_cast<uint8_t*>(to.raw())[to.bytes() - 1] = 0;
  if (from.dtype() == DType::String) return from_text(from, to, options);
  const Direct quick = direct_for(from.dtype(), to.dtype());
  thread_pool::parallel_for(from.count(), kChunk, [&](int64_t begin, int64_t end, int) {
    if (quick != nullptr) return quick(from.raw(), to.raw(), begin, end - begin);
    for (int64_t at = begin; at < end; at += kBlock) cast_block(from, to, at, std::min(kBlock, end - at), options);
  });
  return {};
}

}  // namespace nm
