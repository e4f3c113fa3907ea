// com.microsoft's UnfoldTensor: all slices of a size along a dimension, in a new last one.
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

class UnfoldTensor final : public Movement {
 public:
  explicit UnfoldTensor(Attributes& a)
      : axis_(a.integer("dim", -1)), size_(a.integer("size", 0)), step_(a.integer("step", 1)) {
    if (size_ < 1 || step_ < 1) a.fail("the attributes 'size' and 'step' must be positive");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    Shape s = inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, s.rank()));
    if (s.rank() == kMaxRank) return wrong_shape("the input", s, text("fewer dimensions than ", kMaxRank));
    if (s[axis] >= 0 && s[axis] < size_) return wrong_shape("the input", s, text(size_, " at least along axis ", axis));
    if (s[axis] >= 0) s[axis] = (s[axis] - size_) / step_ + 1;
    s.push_back(size_);
    inference.output(0, inference.type(0), s);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    const int axis = normalize_axis(axis_, in.rank());
    const int64_t outer = in.shape().count(0, axis), inner = in.shape().count(axis + 1, in.rank());
    const int64_t windows = out.dim(axis);
    int64_t to = 0;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t w = 0; w < windows; ++w) {
        for (int64_t i = 0; i < inner; ++i) {
          for (int64_t k = 0; k < size_; ++k) {
            copy_run(in.dtype(), in.raw(), (o * in.dim(axis) + w * step_ + k) * inner + i, out.raw(), to++, 1);
          }
        }
      }
    }
    return {};
  }

 private:
  int64_t axis_, size_, step_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<UnfoldTensor>(kMicrosoftDomain, "UnfoldTensor", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(unfold_tensor, kEntries)

}  // namespace nm
