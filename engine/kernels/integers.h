// Integer arithmetic on sizes. Internal linkage: code compiled for a wide instruction set must not be merged with the
// baseline's by the linker, which std::min and its like allow.
#pragma once
#include <cstdint>

namespace nm::impl {

[[maybe_unused]] static constexpr int64_t lesser(int64_t a, int64_t b) { return b < a ? b : a; }
[[maybe_unused]] static constexpr int64_t greater(int64_t a, int64_t b) { return a < b ? b : a; }
[[maybe_unused]] static constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Positions k in [0, count) with 0 <= start + k·step < size, as a half-open range; step > 0.
struct IndexRange {
  int64_t begin, end;
};
[[maybe_unused]] static constexpr IndexRange inside(int64_t start, int64_t step, int64_t count, int64_t size) {
  const int64_t begin = start >= 0 ? 0 : lesser(count, divide_up(-start, step));
  const int64_t end = start >= size ? begin : lesser(count, divide_up(size - start, step));
  return {begin, greater(begin, end)};
}

}  // namespace nm::impl
