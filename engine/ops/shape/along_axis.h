// The walk of GatherElements and ScatterElements: index element i stands for the element of `data` at i's own
// coordinates, except along `axis`, where the index says it.
#pragma once
#include "engine/op/check.h"
#include "engine/ops/shape/indices.h"
#include "engine/tensor/strided.h"

namespace nm {

inline Status check_along_axis(const Shape& data, const Shape& indices, int axis) {
  bool fits = data.rank() == indices.rank();
  for (int i = 0; fits && i < data.rank(); ++i) {
    fits = i == axis || data[i] < 0 || indices[i] < 0 || indices[i] <= data[i];
  }
  if (fits) return {};
  return wrong_shape("the indices", indices, text("at most ", to_string(data), " except for axis ", axis));
}

// Calls f(i, offset) for every index element i with the offset in data, whose indices have been checked.
template <class F>
void walk_along_axis(const Shape& data, const Shape& shape, int axis, const Indices& indices, F&& f) {
  if (indices.count() == 0) return;
  const Strides strides = row_major(data);
  Strides at{};
  int64_t base = 0;  // of the coordinates other than the axis'
  for (int64_t i = 0; i < indices.count(); ++i) {
    f(i, base + indices.at(i, data[axis]) * strides[axis]);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      const int64_t step = d == axis ? 0 : strides[d];
      base += step;
      if (++at[d] < shape[d]) break;
      base -= shape[d] * step;
      at[d] = 0;
    }
  }
}

}  // namespace nm
