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

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 1));
    NM_TRY(check_scalar(c, 1, "the ratio"));
    NM_TRY(check_scalar(c, 2, "the training mode"));
    NM_TRY(check_type(c, 1, "the ratio", {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16}));
    NM_TRY(check_type(c, 2, "the training mode", {DType::Bool}));
    const bool narrow = c.type(0) >= DType::Float8E4M3FN && c.type(0) <= DType::Float8E5M2FNUZ;
    if (c.type(0) != DType::Undefined && !is_float(c.type(0)) && !narrow) {
      return wrong_type("the input", c.type(0), "floats");
    }
    const DType mask = bool_mask_ ? DType::Bool : c.type(0);
    c.output(0, c.type(0));
    c.output(1, mask);
    if (!c.has_shape(0)) return {};
    c.output(0, c.type(0), c.shape(0));
    c.output(1, mask, c.shape(0));
    return {};
  }

  Status run(Execution& c) override {
    if (!always_ && !(c.has(2) && *c.data<bool>(2))) return keep(c);
    double ratio = ratio_;
    if (c.has(1)) {
      Tensor wide = Tensor::view(DType::Float64, c.input(1).shape(), &ratio);
      NM_TRY(cast(c.input(1), wide));
    }
    if (!(ratio >= 0 && ratio < 1)) {
      return {Code::InvalidData, text("the ratio is ", ratio, "; it must be at least 0 and less than 1")};
    }
    return ratio == 0 ? keep(c) : drop(c, ratio);
  }

  std::optional<View> view(const Inference& c, size_t o) const override {
    const bool off = !c.has(2) || (c.value(2) != nullptr && !*c.value(2)->data<bool>());
    return !always_ && off ? SameBytes::view(c, o) : std::nullopt;
  }
  bool pure() const override { return pure_; }

 private:
  Status keep(Execution& c) {
    if (c.wants(1)) {
      const float number = 1;
      NM_ASSIGN(const Tensor one, Tensor::from<float>(Shape{}, std::span(&number, 1)));
      NM_ASSIGN(Tensor kept, Tensor::create(c.output(1).dtype(), Shape{}));
      NM_TRY(cast(one, kept));
      fill(c.output(1), kept.raw());
    }
    return c.wants(0) ? SameBytes::run(c) : Status();
  }

  Status drop(Execution& c, double ratio) {
    const Tensor& in = c.input(0);
    NM_ASSIGN(double* values, c.scratch<double>(Size(in.count())));
    NM_ASSIGN(bool* kept, c.scratch<bool>(Size(in.count())));
    Tensor wide = Tensor::view(DType::Float64, in.shape(), values);
    NM_TRY(cast(in, wide));
    for (int64_t i = 0; i < in.count(); ++i) {
      kept[i] = random_.uniform() >= ratio;
      values[i] = kept[i] ? values[i] / (1 - ratio) : 0;
    }
    if (c.wants(0)) NM_TRY(cast(wide, c.output(0)));
    return c.wants(1) ? cast(Tensor::view(DType::Bool, in.shape(), kept), c.output(1)) : Status();
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
