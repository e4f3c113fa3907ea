#include "engine/tensor/narrow.h"

#include <cmath>
#include <limits>

#include "catch_amalgamated.hpp"
#include "engine/base/random.h"
#include "tests/unit/narrow_model.h"

using namespace nm;
using namespace nm::test;

namespace {

// Rows of `width` floats, narrowed and widened.
std::vector<float> through(Stored stored, const std::vector<float>& x, int64_t width) {
  const auto n = static_cast<int64_t>(x.size()), rows = n / width;
  std::vector<uint8_t> data(static_cast<size_t>(n * stored_bytes(stored)));
  std::vector<float> scales(static_cast<size_t>(rows)), y(x.size());
  const StoredTarget narrow{stored, data.data(), scales.data(), width};
  const Shape shape{rows, width};
  copy_rows(shape, {Stored::F32, x.data()}, row_major(shape), narrow, row_major(shape));
  copy_rows(shape, {stored, data.data(), scales.data(), width}, row_major(shape), {Stored::F32, y.data()},
            row_major(shape));
  return y;
}

}  // namespace

TEST_CASE("narrowed rows are rounded to nearest, at every width and size of their numbers") {
  Random random(5);
  for (const Stored stored : {Stored::F16, Stored::I8}) {
    for (const int64_t width : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 128, 255, 256, 257, 600}) {
      CAPTURE(static_cast<int>(stored), width);
      std::vector<float> x;
      for (int64_t row = 0; row < 40; ++row) {
        const double size = std::ldexp(1.0, static_cast<int>(row * 4) - 130);
        for (int64_t i = 0; i < width; ++i) {
          // Some numbers are far smaller than their row's largest.
          x.push_back(static_cast<float>(random.normal() * std::ldexp(size, random.uniform() < 0.2 ? -13 : 0)));
        }
      }
      const std::vector<float> y = through(stored, x, width);
      const std::vector<float> want = narrowed(stored, x, width);
      for (size_t i = 0; i < x.size(); ++i) {
        CAPTURE(i, x[i]);
        REQUIRE(y[i] == want[i]);
      }
      REQUIRE(through(stored, y, width) == y);
    }
  }
}

TEST_CASE("narrowed rows of zeros are zeros, and those with a NaN or an infinity are NaN") {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(through(Stored::F16, {0x1p30f, 1}, 2)[1]));
  CHECK(through(Stored::F16, {0x1.ffcp29f, 1}, 2)[0] == 0x1.ffcp29f);
  for (const Stored stored : {Stored::F16, Stored::I8}) {
    const std::vector<float> y = through(stored, {0, -0.f, 0, 1, nan, 2, 3, 4, -inf, 1, inf, 1, 5, -6, 7, nan}, 2);
    CHECK((y[0] == 0 && y[1] == 0 && y[12] != 0));
    for (const size_t row : {2, 4, 5, 7}) CHECK((std::isnan(y[2 * row]) && std::isnan(y[2 * row + 1])));
    for (const size_t row : {0, 1, 3, 6}) CHECK((!std::isnan(y[2 * row]) && !std::isnan(y[2 * row + 1])));
  }
}
