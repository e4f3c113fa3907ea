#include "engine/ops/shape/index_tuples.h"

namespace nm {

Result<std::optional<Shape>> sliced_shape(const Inference& inference, const Shape* known, int64_t batch_dims) {
  NM_TRY(check_type(inference, 1, "the indices", {DType::Int32, DType::Int64}));
  if (known == nullptr || !inference.has_shape(1)) return std::optional<Shape>();
  const Shape& data = *known;
  const Shape& indices = inference.shape(1);
  if (data.rank() < 1) return wrong_shape("the data", data, "at least one dimension");
  if (indices.rank() < 1) return wrong_shape("the indices", indices, "at least one dimension");
  if (batch_dims < 0 || batch_dims >= std::min(data.rank(), indices.rank())) {
    return Status(Code::ShapeMismatch, text("the attribute 'batch_dims' is ", batch_dims,
                                            "; it must be less than the ranks of the data and the indices"));
  }
  for (int i = 0; i < batch_dims; ++i) {
    if (data[i] >= 0 && indices[i] >= 0 && data[i] != indices[i]) {
      return wrong_shape("the indices", indices, text("the first ", batch_dims, " dimensions of ", to_string(data)));
    }
  }
  const int64_t width = indices.back();
  if (width < 0) return std::optional<Shape>();
  if (width > data.rank() - batch_dims) {
    return wrong_shape("the indices", indices, text("at most ", data.rank() - batch_dims, " in the last dimension"));
  }
  const int used = static_cast<int>(batch_dims + width);
  if (indices.rank() - 1 + data.rank() - used > kMaxRank) {
    return wrong_shape("the indices", indices, text("fewer dimensions: there would be more than ", kMaxRank));
  }
  Shape out(indices.dims().first(static_cast<size_t>(indices.rank() - 1)));
  for (int i = used; i < data.rank(); ++i) out.push_back(data[i]);
  return std::optional(out);
}

Status walk_tuples(const Shape& shape, const Strides& strides, const Tensor& tuples, int batch_dims,
                   function_ref<Status(int64_t t, int64_t offset)> f) {
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
