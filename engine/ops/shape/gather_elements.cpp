#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/ops/shape/along_axis.h"
#include "engine/ops/shape/index_tuples.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

class GatherElements final : public Movement {
 public:
  explicit GatherElements(Attributes& a) : axis_(a.integer("axis", 0)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 1, "the indices", {DType::Int32, DType::Int64}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(1)) return {};
    inference.output(0, inference.type(0), inference.shape(1));
    if (!inference.has_shape(0)) return {};
    NM_ASSIGN(const int axis, check_axis(axis_, inference.shape(0).rank()));
    return check_along_axis(inference.shape(0), inference.shape(1), axis);
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    const int axis = normalize_axis(axis_, in.rank());
    const Indices indices(execution.input(1));
    NM_TRY(indices.check(in.dim(axis)));
    const bool whole = with_element(in.dtype(), [&]<class T>() {
      const T* from = static_cast<const T*>(in.raw());
      T* to = static_cast<T*>(out.raw());
      walk_along_axis(in.shape(), out.shape(), axis, indices, [&](int64_t i, int64_t at) { to[i] = from[at]; });
    });
    if (whole) return {};
    const int bits = dtype_bits(in.dtype());
    walk_along_axis(in.shape(), out.shape(), axis, indices,
                    [&](int64_t i, int64_t at) { packed_set(out.raw(), i, bits, packed_get(in.raw(), at, bits)); });
    return {};
  }

 private:
  int64_t axis_;
};

class GatherND final : public Movement {
 public:
  explicit GatherND(Attributes& a) : batch_dims_(a.integer("batch_dims", 0)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    const Shape* data = inference.has_shape(0) ? &inference.shape(0) : nullptr;
    NM_ASSIGN(const std::optional<Shape> out, sliced_shape(inference, data, batch_dims_));
    inference.output(0, inference.type(0));
    if (out) inference.output(0, inference.type(0), *out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const Tensor& tuples = execution.input(1);
    Tensor& out = execution.output(0);
    const int batch_dims = static_cast<int>(batch_dims_);
    const int64_t slice = in.shape().count(batch_dims + static_cast<int>(tuples.shape().back()), in.rank());
    return walk_tuples(in.shape(), row_major(in.shape()), tuples, batch_dims, [&](int64_t t, int64_t offset) {
      copy_run(in.dtype(), in.raw(), offset, out.raw(), t * slice, slice);
      return Status();
    });
  }

 private:
  int64_t batch_dims_;
};

}  // namespace

constexpr AttributeRange kGatherNDAttributes[] = {{"batch_dims", 12}};

constexpr OperatorEntry kEntries[] = {
    entry<GatherElements>("GatherElements", 11, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
    entry<GatherND>("GatherND", 11,
                    {.inputs = 2, .outputs = 1, .layout = layout::opaque, .attributes = kGatherNDAttributes}),
};

NM_OPERATORS(gather_elements, kEntries)

}  // namespace nm
