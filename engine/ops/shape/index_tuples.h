// The indices of GatherND and ScatterND: the last dimension of the index tensor holds tuples that name slices of the
// data, or of each of its `batch` parts.
#pragma once
#include "engine/op/check.h"
#include "engine/ops/shape/indices.h"
#include "engine/tensor/strided.h"

namespace nm {

// Checks what is known of the data and the indices (input 1), and returns the shape of one named slice joined to the
// leading dimensions of the indices; nullopt when too little is known.
Result<std::optional<Shape>> sliced_shape(const Inference& inference, const Shape* data, int64_t batch_dims);

// Calls f(t, offset), which returns a Status, for every tuple t with the offset of the slice it names in data of that
// shape and those strides.
template <class F>
Status walk_tuples(const Shape& shape, const Strides& strides, const Tensor& tuples, int batch_dims, F&& f) {
  const Indices indices(tuples);
  const int width = static_cast<int>(tuples.shape().back());
  const int64_t batch_size = shape.count(batch_dims, shape.rank());
  const int64_t count = tuples.shape().count(0, tuples.rank() - 1);
  const int64_t batches = shape.count(0, batch_dims);
  const int64_t per_batch = batches > 0 ? count / batches : 0;
  for (int64_t t = 0; t < count; ++t) {
    int64_t offset = 0;
    for (int i = 0; i < width; ++i) {
      const int64_t dim = shape[batch_dims + i];
      const int64_t index = indices.raw(t * width + i);
      if (index < -dim || index >= dim) return Indices::out_of_range(index, dim);
      offset += (index < 0 ? index + dim : index) * strides[batch_dims + i];
    }
    NM_TRY(f(t, offset + (per_batch > 0 ? t / per_batch : 0) * batch_size));
  }
  return {};
}

}  // namespace nm
