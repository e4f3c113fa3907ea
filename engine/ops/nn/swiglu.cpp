#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// Swish of input 0, times input 1.
class SwiGlu final : public Operator {
 public:
  explicit SwiGlu(Attributes& a) : alpha_(a.number("alpha", 1)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_float(inference, 0, "the gate"));
    NM_TRY(common_type(inference, 0, 2).take_status());
    output_like(inference, 0, 0);
    if (!inference.has_shape(0) || !inference.has_shape(1) || !inference.shape(0).known() ||
        !inference.shape(1).known())
      return {};
    return inference.shape(0) == inference.shape(1)
               ? Status()
               : wrong_shape("input 1", inference.shape(1), to_string(inference.shape(0)));
  }

  Status run(Execution& execution) override {
    const Tensor& gate = execution.input(0);
    if (gate.dtype() == DType::Float32) {
      for_elements(gate.count(), [&](int64_t begin, int64_t end) {
        const ElementwiseKernels& k = kernels().elementwise;
        float* y = execution.out<float>(0) + begin;
        k.unary(Unary::QuickGelu, gate.data<float>() + begin, y, end - begin, alpha_, 0);
        k.binary(Binary::Mul, y, execution.data<float>(1) + begin, y, end - begin);
      });
      return {};
    }
    return with_float(gate.dtype(), [&]<class T>() -> Status {
      for (int64_t i = 0; i < gate.count(); ++i) {
        const T x = gate.data<T>()[i];
        execution.out<T>(0)[i] = x / (1 + std::exp(-static_cast<T>(alpha_) * x)) * execution.data<T>(1)[i];
      }
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }

 private:
  float alpha_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<SwiGlu>("SwiGLU", 28, {.inputs = 2, .outputs = 1, .layout = layout::elementwise}),
};

NM_OPERATORS(swiglu, kEntries)

}  // namespace nm
