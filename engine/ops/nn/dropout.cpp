#include "engine/base/random.h"
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/cast.h"

namespace nm {
namespace {

// Keeps everything, unless the model says that it is being trained. Output 1, the mask of what was kept, has the data's
// type before operator set 10.
class Dropout final : public SameBytes {
 public:
  explicit Dropout(Attributes& a)
      : bool_mask_(a.version() >= 10),
        ratio_(a.number("ratio", 0.5f)),
        always_(a.version() < 7 && !a.flag("is_test", false)),
        pure_(!always_ && !a.has_input(2)),
        random_(static_cast<uint64_t>(a.integer("seed", 0))) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_scalar(inference, 1, "the ratio"));
    NM_TRY(check_scalar(inference, 2, "the training mode"));
    NM_TRY(check_type(inference, 1, "the ratio", {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16}));
    NM_TRY(check_type(inference, 2, "the training mode", {DType::Bool}));
    const bool narrow = inference.type(0) >= DType::Float8E4M3FN && inference.type(0) <= DType::Float8E5M2FNUZ;
    if (inference.type(0) != DType::Undefined && !is_float(inference.type(0)) && !narrow) {
      return wrong_type("the input", inference.type(0), "floats");
    }
    const DType mask = bool_mask_ ? DType::Bool : inference.type(0);
    inference.output(0, inference.type(0));
    inference.output(1, mask);
    if (!inference.has_shape(0)) return {};
    inference.output(0, inference.type(0), inference.shape(0));
    inference.output(1, mask, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    if (!always_ && !(execution.has(2) && *execution.data<bool>(2))) return keep(execution);
    double ratio = ratio_;
    if (execution.has(1)) {
      Tensor wide = Tensor::view(DType::Float64, execution.input(1).shape(), &ratio);
      NM_TRY(cast(execution.input(1), wide));
    }
    if (!(ratio >= 0 && ratio < 1)) {
      return {Code::InvalidData, text("the ratio is ", ratio, "; it must be at least 0 and less than 1")};
    }
    return ratio == 0 ? keep(execution) : drop(execution, ratio);
  }

  std::optional<View> view(const Inference& inference, size_t o) const override {
    const bool off = !inference.has(2) || (inference.value(2) != nullptr && !*inference.value(2)->data<bool>());
    return !always_ && off ? SameBytes::view(inference, o) : std::nullopt;
  }
  bool pure() const override { return pure_; }

 private:
  Status keep(Execution& execution) {
    if (execution.wants(1)) {
      const float number = 1;
      NM_ASSIGN(const Tensor one, Tensor::from<float>(Shape{}, std::span(&number, 1)));
      NM_ASSIGN(Tensor kept, Tensor::create(execution.output(1).dtype(), Shape{}));
      NM_TRY(cast(one, kept));
      fill(execution.output(1), kept.raw());
    }
    return execution.wants(0) ? SameBytes::run(execution) : Status();
  }

  Status drop(Execution& execution, double ratio) {
    const Tensor& in = execution.input(0);
    NM_ASSIGN(double* values, execution.scratch<double>(Size(in.count())));
    NM_ASSIGN(bool* kept, execution.scratch<bool>(Size(in.count())));
    Tensor wide = Tensor::view(DType::Float64, in.shape(), values);
    NM_TRY(cast(in, wide));
    for (int64_t i = 0; i < in.count(); ++i) {
      kept[i] = random_.uniform() >= ratio;
      values[i] = kept[i] ? values[i] / (1 - ratio) : 0;
    }
    if (execution.wants(0)) NM_TRY(cast(wide, execution.output(0)));
    return execution.wants(1) ? cast(Tensor::view(DType::Bool, in.shape(), kept), execution.output(1)) : Status();
  }

  bool bool_mask_;
  float ratio_;  // of operator sets before 12
  bool always_;  // training, whatever the inputs
  bool pure_;
  Random random_;
};

}  // namespace

constexpr AttributeRange kDropoutAttributes[] = {{"ratio", 1, 11}, {"seed", 12}};

constexpr OperatorEntry kEntries[] = {
    entry<Dropout>("Dropout", 1,
                   {.inputs = 1, .outputs = 2, .layout = layout::elementwise, .attributes = kDropoutAttributes}),
    entry<Dropout>("Dropout", 12,
                   {.inputs = 3, .outputs = 2, .layout = layout::elementwise, .attributes = kDropoutAttributes}),
};

NM_OPERATORS(dropout, kEntries)

}  // namespace nm
