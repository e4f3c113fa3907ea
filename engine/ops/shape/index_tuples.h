// The indices of GatherND and ScatterND: the last dimension of the index tensor holds tuples that name slices of the
// data, or of each of its `batch` parts.
#pragma once
#include "engine/base/function_ref.h"
#include "engine/op/check.h"
#include "engine/ops/shape/indices.h"
#include "engine/tensor/strided.h"

namespace nm {

// Checks what is known of the data and the indices (input 1), and returns the shape of one named slice joined to the
// leading dimensions of the indices; nullopt when too little is known.
Result<std::optional<Shape>> sliced_shape(const Inference& inference, const Shape* data, int64_t batch_dims);

// Calls f(t, offset), which returns a Status, for every tuple t with the offset of the slice it names in data of that
// shape and those strides.
Status walk_tuples(const Shape& shape, const Strides& strides, const Tensor& tuples, int batch_dims,
                   function_ref<Status(int64_t t, int64_t offset)> f);

}  // namespace nm
