// Moving elements without arithmetic.
#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/base/thread_pool.h"

namespace nm {

// transpose and permute take 1, 2, 4 and 8 byte elements; input and output must not overlap.
inline constexpr int max_permute_rank = 16;

struct LayoutKernels {
  // y[j·ldy + i] = x[i·ldx + j] for i < rows, j < cols.
  void (*transpose)(int64_t rows, int64_t cols, const void* x, int64_t ldx, void* y, int64_t ldy, size_t element_size);
  // Output axis i is input axis axes[i]; dims are the input's; rank <= max_permute_rank; dense input and output.
  // Element size may be any power of two up to 16.
  void (*permute)(int rank, const int64_t* dims, const int* axes, const void* x, void* y, size_t element_size);
};

}  // namespace nm
