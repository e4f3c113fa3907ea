#include "engine/base/sort_positions.h"

#include <algorithm>
#include <numeric>

namespace nm {

void sort_positions(std::span<int64_t> positions, Before before) {
  std::sort(positions.begin(), positions.end(), [before](int64_t a, int64_t b) {
    if (before(a, b)) return true;
    return a < b && !before(b, a);
  });
}

std::vector<int64_t> sorted_positions(size_t count, Before before) {
  std::vector<int64_t> positions(count);
  std::iota(positions.begin(), positions.end(), int64_t{0});
  sort_positions(positions, before);
  return positions;
}

}  // namespace nm
