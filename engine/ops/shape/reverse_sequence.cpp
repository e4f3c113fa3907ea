#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class ReverseSequence final : public Movement {
 public:
  explicit ReverseSequence(Attributes& a) : time_(a.integer("time_axis", 0)), batch_(a.integer("batch_axis", 1)) {
    if (time_ + batch_ != 1 || time_ * batch_ != 0) {
      a.fail("the attributes 'time_axis' and 'batch_axis' must be 0 and 1, or 1 and 0");
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 1, "the lengths", {DType::Int64}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    if (in.rank() < 2) return wrong_shape("the input", in, "at least two dimensions");
    const int64_t batches = in[static_cast<int>(batch_)];
    if (inference.has_shape(1)) {
      const Shape& lengths = inference.shape(1);
      if (lengths.rank() != 1 || (lengths[0] >= 0 && batches >= 0 && lengths[0] != batches)) {
        return wrong_shape("the lengths", lengths, text("[", batches, "]"));
      }
    }
    inference.output(0, inference.type(0), in);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    const int64_t* lengths = execution.data<int64_t>(1);
    const Strides strides = row_major(in.shape());
    const int64_t steps = in.dim(static_cast<int>(time_));
    const int64_t time_stride = strides[static_cast<size_t>(time_)];
    const int64_t inner = strides[1];
    for (int64_t b = 0; b < in.dim(static_cast<int>(batch_)); ++b) {
      if (lengths[b] < 0 || lengths[b] > steps) {
        return {Code::InvalidData, text("the length ", lengths[b], " must lie in [0,", steps, "]")};
      }
      const int64_t base = b * strides[static_cast<size_t>(batch_)];
      for (int64_t t = 0; t < steps; ++t) {
        const int64_t from = t < lengths[b] ? lengths[b] - 1 - t : t;
        copy_run(in.dtype(), in.raw(), base + from * time_stride, out.raw(), base + t * time_stride, inner);
      }
    }
    return {};
  }

 private:
  int64_t time_;
  int64_t batch_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<ReverseSequence>("ReverseSequence", 10, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(reverse_sequence, kEntries)

}  // namespace nm
