// What rows are when they were narrowed (engine/tensor/narrow.h), in double precision.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/kernels/stored.h"

namespace nm::test {

// Rows of `width` numbers. Halves have 11 bits, fewer where they are less than 2^-29 of their row's largest; integers
// are multiples of a scale, which has 16 bits itself.
inline std::vector<float> narrowed(Stored stored, std::vector<float> x, int64_t width) {
  const double least = std::ldexp(1.0, -126);
  for (auto row = x.begin(); row != x.end(); row += width) {
    double most = 0;
    for (auto v = row; v != row + width; ++v) most = std::max(most, std::abs(double{*v}));
    int exponent = 0;
    std::frexp(most / 127, &exponent);
    const double bit = std::ldexp(1.0, exponent - 16);
    const double scale = std::max(std::ceil(static_cast<double>(static_cast<float>(most / 127)) / bit) * bit, least);
    std::frexp(most * (1 + std::ldexp(1.0, -12)), &exponent);
    const double smallest = std::max(std::ldexp(1.0, exponent - 15), least) * std::ldexp(1.0, -24);
    for (auto v = row; v != row + width; ++v) {
      std::frexp(*v, &exponent);
      const double step = stored == Stored::I8 ? scale : std::max(std::ldexp(1.0, exponent - 11), smallest);
      *v = static_cast<float>(std::nearbyint(*v / step) * step);
    }
  }
  return x;
}

}  // namespace nm::test
