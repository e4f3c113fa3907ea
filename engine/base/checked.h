// Integer arithmetic on a model's shapes, attributes and indices, where signed overflow would be undefined.
//
//   checked_…     nullopt where the result does not fit
//   saturating_…  the nearest number there is: for bounds and places, which are compared or clamped afterwards
//
// Bytes and elements of memory are a Size (engine/base/size.h); elements of integer tensors wrap around, in their
// kernels.
#pragma once
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

namespace nm {

// Exactly one type: a mixture of two would be converted before anything could be checked.
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

// The value as a To; nullopt where To has no such number.
template <Integer To, Integer From>
constexpr std::optional<To> checked_cast(From value) {
  To result;
  if (__builtin_add_overflow(value, From{0}, &result)) return std::nullopt;
  return result;
}

template <Integer T>
constexpr T saturating_add(T a, std::type_identity_t<T> b) {
  T result;
  if (!__builtin_add_overflow(a, b, &result)) return result;
  return b < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}
template <Integer T>
constexpr T saturating_mul(T a, std::type_identity_t<T> b) {
  T result;
  if (!__builtin_mul_overflow(a, b, &result)) return result;
  return (a < 0) != (b < 0) ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

}  // namespace nm
