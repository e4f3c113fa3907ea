#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

class CenterCropPad final : public Movement {
 public:
  explicit CenterCropPad(Attributes& a) : axes_(a.integers("axes")), given_(a.has("axes")) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 1, "the shape", {DType::Int32, DType::Int64}));
    inference.output(0, inference.type(0));
    if (inference.has_shape(1) && inference.shape(1).rank() != 1)
      return wrong_shape("the shape", inference.shape(1), "a list");
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    if (given_) NM_TRY(check_axes(axes_, out.rank()).take_status());
    const size_t n = given_ ? axes_.size() : static_cast<size_t>(out.rank());
    const auto target = inference.integers(1);
    if (target) {
      NM_TRY(check_shape(*target).take_status());
      if (target->size() != n)
        return wrong_shape("the shape", inference.shape(1), text("[", n, "], one for each axis"));
    }
    for (size_t i = 0; i < n; ++i) {
      const int axis = given_ ? normalize_axis(axes_[i], out.rank()) : static_cast<int>(i);
      out[axis] = target ? (*target)[i] : kUnknownDim;
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    if (out.dtype() != DType::String) std::fill_n(static_cast<uint8_t*>(out.raw()), out.bytes(), uint8_t{0});
    StridedSource from{in.raw(), 0, row_major(in.shape())};
    StridedTarget to{out.raw(), 0, row_major(out.shape())};
    Shape extent;
    for (int i = 0; i < in.rank(); ++i) {
      const int64_t difference = out.dim(i) - in.dim(i);
      extent.push_back(std::min(in.dim(i), out.dim(i)));
      if (difference > 0) {
        to.offset += difference / 2 * to.strides[i];
      } else {
        from.offset += -difference / 2 * from.strides[i];
      }
    }
    copy_strided(in.dtype(), extent, from, to);
    return {};
  }

 private:
  std::vector<int64_t> axes_;
  bool given_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<CenterCropPad>("CenterCropPad", 18, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(center_crop_pad, kEntries)

}  // namespace nm
