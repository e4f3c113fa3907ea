// Sorting of positions by what stands there. All callers share one copy of the code, which is large as a template.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/function_ref.h"

namespace nm {

using Before = function_ref<bool(int64_t, int64_t)>;

// Positions of which neither is before the other end up in ascending order.
void sort_positions(std::span<int64_t> positions, Before before);

// 0 … count - 1, sorted.
std::vector<int64_t> sorted_positions(size_t count, Before before);

}  // namespace nm
