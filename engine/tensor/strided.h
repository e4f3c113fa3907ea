// Copies of boxes between tensors: slices, joins, padding, transposes, repetitions.
#pragma once
#include <array>
#include <cstdint>

#include "engine/tensor/tensor.h"

namespace nm {

using Strides = std::array<int64_t, kMaxRank>;  // in elements; may be 0 or negative

Strides row_major(const Shape& shape);

// Elements at data[offset + sum(index[i] * strides[i])].
template <class Pointer>
struct StridedAt {
  Pointer data;
  int64_t offset = 0;
  Strides strides{};
};
using StridedSource = StridedAt<const void*>;
using StridedTarget = StridedAt<void*>;

// Copies extent.count() elements of any type, packed and strings included. Source and target do not overlap, except
// that they may be the very same elements. No two target elements coincide. Large copies are split over threads.
void copy_strided(DType dtype, const Shape& extent, const StridedSource& from, const StridedTarget& to);

// `count` contiguous elements from one offset to another.
void copy_run(DType dtype, const void* from, int64_t from_offset, void* to, int64_t to_offset, int64_t count);
// All elements; does nothing when both are the same memory.
void copy_all(const Tensor& from, Tensor& to);

// The tensor itself when it owns its memory, else a copy: for values that outlive the step that made them.
Result<Tensor> keep(const Tensor& t);

// Sets every element to the one at `value` (packed types: in the low bits of its byte).
void fill(Tensor& to, const void* value);

}  // namespace nm
