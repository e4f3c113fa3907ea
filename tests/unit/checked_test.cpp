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
  bool right = true;
  for (int a = low; a <= high; ++a) {
    for (int b = low; b <= high; ++b) {
      const T x = static_cast<T>(a);
      const T y = static_cast<T>(b);
      right = right && saturating_add(x, y) == std::clamp(a + b, low, high);
      right = right && saturating_mul(x, y) == std::clamp(a * b, low, high);
    }
  }
  CHECK(right);
}

}  // namespace

TEST_CASE("saturating arithmetic agrees with exact arithmetic on all pairs of bytes") {
  check_all_pairs<int8_t>();
  check_all_pairs<uint8_t>();
}

TEST_CASE("the ends of 64 bits") {
  CHECK(saturating_add(kMax, kMax) == kMax);
  CHECK(saturating_mul(kMin, kMax) == kMin);
  CHECK(saturating_add(kMin, -1) == kMin);
  CHECK(saturating_mul(kMin, -1) == kMax);
}

TEST_CASE("casts that do not fit are refused") {
  CHECK(!checked_cast<uint32_t>(int64_t{-1}));
  CHECK(!checked_cast<uint32_t>(int64_t{1} << 32));
  CHECK(!checked_cast<int64_t>(UINT64_MAX));
  CHECK(checked_cast<uint64_t>(kMax) == static_cast<uint64_t>(kMax));
  CHECK(checked_cast<int8_t>(-128) == int8_t{-128});
}
