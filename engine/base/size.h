// A number of elements or bytes that follows from a model's numbers. Sums and products saturate: a size that no host
// can address stays too large whatever is done with it, on 32 and on 64 bits alike. Memory is only handed out for a
// Size (see allocate, Buffer, Scratch), and a Size is only made of one integer at a time, so that `a * b` in plain
// integers, which may have wrapped around, does not compile as one.
#pragma once
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace nm {

class Size {
 public:
  // No machine has more, and a sanitizer's allocator stops the process where others refuse. Room is left for headers
  // and alignment, so that these can be added to an addressable size without a check.
  static constexpr uint64_t kLargest = sizeof(size_t) == 4 ? uint64_t{UINT32_MAX} - 4096 : uint64_t{1} << 39;

  constexpr Size() = default;
  // A negative number is too large: counts that overflowed are negative.
  template <std::integral T>
  explicit constexpr Size(T n) : n_(from(n)) {}

  // Can this host address so many bytes?
  constexpr bool addressable() const { return n_ <= kLargest; }
  // Of an addressable size.
  constexpr size_t value() const { return static_cast<size_t>(n_); }
  // For messages: UINT64_MAX when it is even more.
  constexpr uint64_t number() const { return n_; }

  friend constexpr Size operator*(Size a, Size b) {
    Size product;
    if (__builtin_mul_overflow(a.n_, b.n_, &product.n_)) product.n_ = kOver;
    if ((a.n_ == kOver && b.n_ != 0) || (b.n_ == kOver && a.n_ != 0)) product.n_ = kOver;
    return product;
  }
  friend constexpr Size operator+(Size a, Size b) {
    Size sum;
    if (__builtin_add_overflow(a.n_, b.n_, &sum.n_)) sum.n_ = kOver;
    return sum;
  }
  template <std::integral T>
  friend constexpr Size operator*(Size a, T b) {
    return a * Size(b);
  }
  template <std::integral T>
  friend constexpr Size operator+(Size a, T b) {
    return a + Size(b);
  }
  Size& operator+=(Size b) { return *this = *this + b; }
  friend constexpr auto operator<=>(Size a, Size b) = default;

 private:
  static constexpr uint64_t kOver = UINT64_MAX;
  template <std::integral T>
  static constexpr uint64_t from(T n) {
    if constexpr (std::is_signed_v<T>) {
      if (n < 0) return kOver;
    }
    return static_cast<uint64_t>(n);
  }

  uint64_t n_ = 0;
};

}  // namespace nm
