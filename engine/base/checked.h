// Integer arithmetic on numbers that a model chooses, in the three forms that it needs. Signed overflow is undefined in
// C++, and a model can reach it wherever its shapes, attributes, indices or elements are added or multiplied.
//
//   checked_…     nullopt where the result does not fit: for sizes, from which an error must follow
//   saturating_…  the nearest number there is: for bounds and places, which are compared or clamped afterwards
//   wrapping_…    modulo 2^n: for the elements of integer tensors, as all of ONNX's implementations compute them
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

template <Integer T>
constexpr std::optional<T> checked_add(T a, std::type_identity_t<T> b) {
  T result;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}
template <Integer T>
constexpr std::optional<T> checked_sub(T a, std::type_identity_t<T> b) {
  T result;
  if (__builtin_sub_overflow(a, b, &result)) return std::nullopt;
  return result;
}
template <Integer T>
constexpr std::optional<T> checked_mul(T a, std::type_identity_t<T> b) {
  T result;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}
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
constexpr T saturating_sub(T a, std::type_identity_t<T> b) {
  T result;
  if (!__builtin_sub_overflow(a, b, &result)) return result;
  return b < 0 ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
}
template <Integer T>
constexpr T saturating_mul(T a, std::type_identity_t<T> b) {
  T result;
  if (!__builtin_mul_overflow(a, b, &result)) return result;
  return (a < 0) != (b < 0) ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}
template <Integer To, Integer From>
constexpr To saturating_cast(From value) {
  To result;
  if (!__builtin_add_overflow(value, From{0}, &result)) return result;
  return value < 0 ? std::numeric_limits<To>::min() : std::numeric_limits<To>::max();
}

template <Integer T>
constexpr T wrapping_add(T a, std::type_identity_t<T> b) {
  T result;
  static_cast<void>(__builtin_add_overflow(a, b, &result));
  return result;
}
template <Integer T>
constexpr T wrapping_sub(T a, std::type_identity_t<T> b) {
  T result;
  static_cast<void>(__builtin_sub_overflow(a, b, &result));
  return result;
}
template <Integer T>
constexpr T wrapping_mul(T a, std::type_identity_t<T> b) {
  T result;
  static_cast<void>(__builtin_mul_overflow(a, b, &result));
  return result;
}
template <Integer T>
constexpr T wrapping_negate(T a) {
  return wrapping_sub(T{0}, a);
}
template <Integer T>
constexpr T wrapping_abs(T a) {
  return a < 0 ? wrapping_negate(a) : a;
}
// Towards zero, for b ≠ 0. The smallest number divided by -1, which processors trap, gives itself, with the rest 0.
template <Integer T>
constexpr T wrapping_div(T a, std::type_identity_t<T> b) {
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return wrapping_negate(a);
  }
  return static_cast<T>(a / b);
}
template <Integer T>
constexpr T wrapping_rem(T a, std::type_identity_t<T> b) {
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
  }
  return static_cast<T>(a % b);
}

}  // namespace nm
