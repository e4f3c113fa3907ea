// Rows of floats as narrower numbers, each with a scale of its own: caches at half or a quarter of their size.
#pragma once
#include <cstdint>

#include "engine/kernels/stored.h"
#include "engine/tensor/strided.h"

namespace nm {

// Where rows lie. Element i of what is stored is data[i], times scales[i / width] where it is narrow, and for halves
// times kHalfUnit; a row is `width` elements without a gap.
template <class Data, class Scale>
struct StoredRows {
  Stored stored = Stored::F32;
  Data* data = nullptr;
  Scale* scales = nullptr;
  int64_t width = 1;
};
using StoredSource = StoredRows<const void, const float>;
using StoredTarget = StoredRows<void, float>;

int64_t stored_bytes(Stored stored);  // of an element

// Copies the first n elements of a row from one form to another, of which one at least is floats, or both are alike.
// Narrowing rounds to nearest: halves by a power of two that brings the largest near the end of their range, integers
// of 8 bits by a scale that makes it ±127. What was narrowed and widened is narrowed to the same again. A row with a
// NaN, an infinity, or for halves a number of 2^30 or more, is NaN when it is widened.
void copy_row(const StoredSource& from, int64_t from_offset, const StoredTarget& to, int64_t to_offset, int64_t n);

// The same of all rows of a box, whose last dimension lies without gaps in both.
void copy_rows(const Shape& extent, const StoredSource& from, const Strides& from_strides, const StoredTarget& to,
               const Strides& to_strides);

}  // namespace nm
