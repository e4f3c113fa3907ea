#include "engine/base/checked.h"

#include <algorithm>

#include "catch_amalgamated.hpp"

using namespace nm;

namespace {

constexpr int64_t kMin = INT64_MIN;
constexpr int64_t kMax = INT64_MAX;

// Every pair of bytes, against the same in a type where nothing overflows.
template <class T>
void check_all_pairs() {
  constexpr int low = std::numeric_limits<T>::min();
  constexpr int high = std::numeric_limits<T>::max();
  const auto fits = [](int v) { return v >= low && v <= high; };
  bool right = true;
  for (int a = low; a <= high; ++a) {
    for (int b = low; b <= high; ++b) {
      const T x = static_cast<T>(a);
      const T y = static_cast<T>(b);
      const int exact[] = {a + b, a - b, a * b};
      const std::optional<T> checked[] = {checked_add(x, y), checked_sub(x, y), checked_mul(x, y)};
      const T saturated[] = {saturating_add(x, y), saturating_sub(x, y), saturating_mul(x, y)};
      const T wrapped[] = {wrapping_add(x, y), wrapping_sub(x, y), wrapping_mul(x, y)};
      for (int i = 0; i < 3; ++i) {
        right = right && checked[i].has_value() == fits(exact[i]) &&
                checked[i].value_or(0) * fits(exact[i]) == exact[i] * fits(exact[i]);
        right = right && saturated[i] == std::min(std::max(exact[i], low), high);
        right = right && wrapped[i] == static_cast<T>(exact[i]);
      }
      if (b == 0) continue;
      right = right && wrapping_div(x, y) == static_cast<T>(a / b) && wrapping_rem(x, y) == static_cast<T>(a % b);
    }
    right = right && wrapping_negate(static_cast<T>(a)) == static_cast<T>(-a);
    right = right && wrapping_abs(static_cast<T>(a)) == static_cast<T>(a < 0 ? -a : a);
  }
  CHECK(right);
}

}  // namespace

TEST_CASE("checked, saturating and wrapping arithmetic agree with exact arithmetic on all pairs of bytes") {
  check_all_pairs<int8_t>();
  check_all_pairs<uint8_t>();
}

TEST_CASE("the ends of 64 bits") {
  CHECK(!checked_add(kMax, 1));
  CHECK(!checked_mul(kMin, -1));
  CHECK(checked_sub(kMin, -1) == kMin + 1);
  CHECK(saturating_add(kMax, kMax) == kMax);
  CHECK(saturating_mul(kMin, kMax) == kMin);
  CHECK(wrapping_div(kMin, -1) == kMin);
  CHECK(wrapping_rem(kMin, -1) == 0);
  CHECK(wrapping_abs(kMin) == kMin);
}

TEST_CASE("casts that do not fit are refused or take the nearest number") {
  CHECK(!checked_cast<uint32_t>(int64_t{-1}));
  CHECK(!checked_cast<uint32_t>(int64_t{1} << 32));
  CHECK(!checked_cast<int64_t>(UINT64_MAX));
  CHECK(checked_cast<uint64_t>(kMax) == static_cast<uint64_t>(kMax));
  CHECK(checked_cast<int8_t>(-128) == int8_t{-128});
  CHECK(saturating_cast<uint32_t>(int64_t{-1}) == 0);
  CHECK(saturating_cast<uint32_t>(kMax) == UINT32_MAX);
  CHECK(saturating_cast<int64_t>(UINT64_MAX) == kMax);
}
