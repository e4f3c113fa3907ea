// The heap of a test program that can be told to fail. It stands between the program's allocations (new included) and
// malloc; see injected_malloc.cpp for how.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nm::faults {

// The n-th allocation from now on fails, once. 0: none.
void fail_allocation(uint64_t n);
// Allocations fail that would take what is held above `bytes`. SIZE_MAX: none.
void cap_heap(size_t bytes);

struct Heap {
  uint64_t allocations = 0;  // since the program began
  uint64_t failures = 0;
  size_t blocks = 0;  // held now
  size_t bytes = 0;
  size_t peak = 0;  // of bytes, since reset_peak
};
Heap heap();
void reset_peak();

}  // namespace nm::faults
