#include <algorithm>

#include "engine/ops/check.h"
#include "engine/ops/movement.h"
#include "engine/tensor/cast.h"

namespace nm {
namespace {

// Inference only: everything is kept. Output 1, the mask, has the data's type before operator set 10.
class Dropout final : public SameBytes {
 public:
  explicit Dropout(Attributes& a) : bool_mask_(a.version() >= 10) {
    if (a.version() < 7 && !a.flag("is_test", false) && a.number("ratio", 0.5f) != 0) {
      a.unsupported("dropout for training (is_test = 0) is not supported; export the model for inference");
    }
  }

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 1));
    NM_TRY(check_scalar(c, 1, "the ratio"));
    NM_TRY(check_scalar(c, 2, "the training mode"));
    NM_TRY(check_type(c, 1, "the ratio", {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16}));
    NM_TRY(check_type(c, 2, "the training mode", {DType::Bool}));
    if (!bool_mask_ && c.type(0) != DType::Undefined && !is_float(c.type(0))) {
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
    if (c.has(2) && *c.data<bool>(2) && !is_zero(c)) {
      return {Code::UnsupportedOperator, "dropout for training is not supported; export the model for inference"};
    }
    if (c.wants(1)) {
      const float number = 1;
      NM_ASSIGN(const Tensor one, Tensor::from<float>(Shape{}, std::span(&number, 1)));
      NM_ASSIGN(Tensor kept, Tensor::create(c.output(1).dtype(), Shape{}));
      NM_TRY(cast(one, kept));
      fill(c.output(1), kept.raw());
    }
    return c.wants(0) ? SameBytes::run(c) : Status();
  }

  std::optional<View> view(const Inference& c, size_t o) const override {
    return c.has(2) ? std::nullopt : SameBytes::view(c, o);
  }

 private:
  // The default ratio is not.
  static bool is_zero(const Execution& c) {
    if (!c.has(1)) return false;
    const auto* bytes = static_cast<const uint8_t*>(c.input(1).raw());
    return std::all_of(bytes, bytes + c.input(1).bytes(), [](uint8_t b) { return b == 0; });
  }

  bool bool_mask_;
};

}  // namespace

NM_OPERATORS(dropout) { r.add<Dropout>("Dropout", 1); }

}  // namespace nm
