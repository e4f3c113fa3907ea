// Clip: bounds are attributes before operator set 11, scalar inputs after.
#include <limits>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/operator.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class Clip final : public Operator {
 public:
  explicit Clip(Attributes& a) {
    if (a.version() >= 11) return;
    low_ = a.number("min", low_);
    high_ = a.number("max", high_);
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_number(inference, 0, "the input"));
    NM_TRY(common_type(inference, 0, inference.input_count()).take_status());
    NM_TRY(check_scalar(inference, 1, "the minimum"));
    NM_TRY(check_scalar(inference, 2, "the maximum"));
    output_like(inference, 0, 0);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.dtype() == DType::Float32) {
      const float low = execution.has(1) ? *execution.data<float>(1) : low_;
      const float high = execution.has(2) ? *execution.data<float>(2) : high_;
      const float* x = in.data<float>();
      float* y = execution.out<float>(0);
      for_elements(in.count(), [&](int64_t begin, int64_t end) {
        kernels().elementwise.unary(Unary::Clip, x + begin, y + begin, end - begin, low, high);
      });
      return {};
    }
    return with_number(in.dtype(), [&]<class T>() -> Status {
      // The attribute forms take floats only; float64 keeps their float32 bounds.
      T low = std::is_integral_v<T> ? std::numeric_limits<T>::lowest() : static_cast<T>(low_);
      T high = std::is_integral_v<T> ? std::numeric_limits<T>::max() : static_cast<T>(high_);
      if (execution.has(1)) low = *execution.data<T>(1);
      if (execution.has(2)) high = *execution.data<T>(2);
      const T* x = in.data<T>();
      T* y = execution.out<T>(0);
      for (int64_t i = 0; i < in.count(); ++i) {
        const T raised = x[i] < low ? low : x[i];
        y[i] = raised > high ? high : raised;
      }
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }
  std::optional<Pointwise> pointwise(const Inference& inference) const override {
    float bounds[] = {low_, high_};
    for (const size_t i : {size_t{1}, size_t{2}}) {
      if (!inference.has(i)) continue;
      if (inference.value(i) == nullptr || inference.type(i) != DType::Float32) return std::nullopt;
      bounds[i - 1] = *inference.value(i)->data<float>();
    }
    return Pointwise{Unary::Clip, bounds[0], bounds[1]};
  }
  double flops(const Inference& inference) const override {
    return 2 * static_cast<double>(inference.shape(0).count());
  }

 private:
  float low_ = -std::numeric_limits<float>::infinity();
  float high_ = std::numeric_limits<float>::infinity();
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Clip>("Clip", 1, {.inputs = 1, .outputs = 1, .layout = layout::elementwise}),
    entry<Clip>("Clip", 11, {.inputs = 3, .outputs = 1, .layout = layout::elementwise}),
};

NM_OPERATORS(clip, kEntries)

}  // namespace nm
