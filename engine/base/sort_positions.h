// Sorting of positions by what stands there. All callers share one copy of the code, which is large as a template.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/function_ref.h"

namespace nm {

using Before = function_ref<bool(int64_t, int64_t)>;

// Positions of which neither is before the other end up in ascending order.
void sort_positions(std::span<int64_t> positions, Before before);

// 0 … count - 1, sorted.
std::vector<int64_t> sorted_positions(size_t count, Before before);

// A list in that order; takes memory for a second one.
template <class T, class F>
void sort_list(std::vector<T>& list, F before) {
  std::vector<T> sorted;
  sorted.reserve(list.size());
  for (const int64_t i : sorted_positions(list.size(), [&](int64_t a, int64_t b) {
         return before(list[static_cast<size_t>(a)], list[static_cast<size_t>(b)]);
       })) {
    sorted.push_back(list[static_cast<size_t>(i)]);
  }
  list = std::move(sorted);
}

}  // namespace nm
