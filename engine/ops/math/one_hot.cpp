#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

class OneHot final : public Movement {
 public:
  explicit OneHot(Attributes& a) : axis_(a.integer("axis", -1)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    for (size_t i = 0; i < 2; ++i) {
      const DType t = inference.type(i);
      if (t != DType::Undefined && (!can_cast(t) || t == DType::String))
        return wrong_type(text("input ", i), t, "numbers");
    }
    NM_TRY(check_scalar(inference, 1, "the depth"));
    if (is_packed(inference.type(2))) return wrong_type("the values", inference.type(2), "a type of whole bytes");
    if (inference.has_shape(2) &&
        (inference.shape(2).rank() != 1 || (inference.shape(2)[0] >= 0 && inference.shape(2)[0] != 2))) {
      return wrong_shape("the values", inference.shape(2), "[2]");
    }
    inference.output(0, inference.type(2));
    if (!inference.has_shape(0)) return {};
    if (inference.shape(0).rank() == kMaxRank)
      return wrong_shape("the indices", inference.shape(0), "fewer dimensions");
    Shape out = inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, out.rank() + 1));
    int64_t depth = kUnknownDim;
    if (inference.value(1) != nullptr) {
      NM_ASSIGN(const Tensor number, as_int64(*inference.value(1)));
      depth = *number.data<int64_t>();
      if (depth < 1) return {Code::InvalidData, text("the depth is ", depth, "; it must be positive")};
    }
    out.insert(axis, depth);
    inference.output(0, inference.type(2), out);
    return {};
  }

  Status run(Execution& execution) override {
    NM_ASSIGN(const Tensor indices, as_int64(execution.input(0)));
    const Tensor& values = execution.input(2);
    Tensor& out = execution.output(0);
    const int axis = normalize_axis(axis_, out.rank());
    const int64_t depth = out.dim(axis);
    const int64_t inner = out.shape().count(axis + 1, out.rank());
    fill(out, values.raw());
    const int64_t* index = indices.data<int64_t>();
    for (int64_t i = 0; i < indices.count(); ++i) {
      if (index[i] < -depth || index[i] >= depth) continue;  // ONNX: no hot element there
      const int64_t hot = index[i] < 0 ? index[i] + depth : index[i];
      copy_run(out.dtype(), values.raw(), 1, out.raw(), (i / inner * depth + hot) * inner + i % inner, 1);
    }
    return {};
  }

 private:
  static Result<Tensor> as_int64(const Tensor& t) {
    if (t.dtype() == DType::Int64) return t;
    NM_ASSIGN(Tensor wide, Tensor::create(DType::Int64, t.shape()));
    NM_TRY(cast(t, wide));
    return wide;
  }

  int64_t axis_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<OneHot>("OneHot", 9, {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(one_hot, kEntries)

}  // namespace nm
