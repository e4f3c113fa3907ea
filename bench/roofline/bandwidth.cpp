#include <algorithm>
#include <chrono>
#include <vector>

#include "bench/roofline/roofline.h"

namespace nm::bench {

double peak_bytes(const KernelTable& table) {
  constexpr int64_t count = 1 << 19;  // three arrays of 2 MiB: larger than an L2, as large as many activations
  const std::vector<float> x(count, 1.f), y(count, 2.f);
  std::vector<float> z(count);
  double best = 0;
  for (int i = 0; i < 100; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    table.elementwise.binary(Binary::Add, x.data(), y.data(), z.data(), count);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 3. * sizeof(float) * count / seconds.count());
  }
  return best;
}

}  // namespace nm::bench
