// com.microsoft's QLinearAdd and QLinearMul: arithmetic on 8-bit numbers through their real values.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

// Inputs: a, its scale and zero point, the same for b, scale and zero point of the result.
class QLinearBinary final : public Operator {
 public:
  QLinearBinary(Attributes&, bool product) : product_(product) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    for (const size_t i : {1, 3, 4, 6}) {
      if (!inference.has(i)) return {Code::MissingInput, text("input ", i, " is missing; the operator needs it")};
    }
    for (const size_t i : {0, 2, 3, 5, 7})
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Int8, DType::UInt8}));
    for (const size_t i : {1, 4, 6}) NM_TRY(check_float(inference, i, text("the scale (input ", i, ")")));
    for (const size_t i : {1, 2, 4, 5, 6, 7}) NM_TRY(check_scalar(inference, i, text("input ", i)));
    DType type = inference.type(0);
    for (const size_t i : {2, 3, 5, 7}) {
      if (inference.type(i) == DType::Undefined) continue;
      if (type != DType::Undefined && type != inference.type(i))
        return wrong_type(text("input ", i), inference.type(i), dtype_name(type));
      type = inference.type(i);
    }
    inference.output(0, type);
    if (!inference.has_shape(0) || !inference.has_shape(3)) return {};
    NM_ASSIGN(const Shape shape, broadcast_or_fail(inference.shape(0), inference.shape(3)));
    inference.output(0, type, shape);
    return {};
  }

  Status run(Execution& execution) override {
    for (const size_t i : {1, 4, 6}) {
      if (execution.input(i).dtype() != DType::Float32) return no_arithmetic(execution.input(i).dtype());
    }
    return execution.input(0).dtype() == DType::Int8 ? run_as<int8_t>(execution) : run_as<uint8_t>(execution);
  }

  bool in_place(size_t i) const override { return i == 0 || i == 3; }

 private:
  template <class T>
  Status run_as(Execution& execution) const {
    const auto zero = [&](size_t i) { return execution.has(i) ? static_cast<float>(*execution.data<T>(i)) : 0.f; };
    const float a_scale = *execution.data<float>(1), b_scale = *execution.data<float>(4),
                y_scale = *execution.data<float>(6);
    const float a_zero = zero(2), b_zero = zero(5), y_zero = zero(7);
    const Broadcast b(execution.output(0).shape(), {&execution.input(0).shape(), &execution.input(3).shape()});
    const T* x = execution.data<T>(0);
    const T* y = execution.data<T>(3);
    T* z = execution.out<T>(0);
    constexpr float low = std::numeric_limits<T>::lowest();
    constexpr float high = std::numeric_limits<T>::max();
    for_elements(b.count(), [&](int64_t begin, int64_t end) {
      b.walk(begin, end, [&](const Broadcast::Run& r) {
        for (int64_t i = 0; i < r.count; ++i) {
          const float left = a_scale * (static_cast<float>(x[r.in[0] + i * b.step(0)]) - a_zero);
          const float right = b_scale * (static_cast<float>(y[r.in[1] + i * b.step(1)]) - b_zero);
          const float v = std::nearbyint((product_ ? left * right : left + right) / y_scale) + y_zero;
          z[r.out + i] = static_cast<T>(v > low ? std::min(v, high) : low);  // NaN becomes the lowest
        }
      });
    });
    return {};
  }

  bool product_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<QLinearBinary, false>(kMicrosoftDomain, "QLinearAdd", 1,
                                   {.inputs = 8, .outputs = 1, .layout = layout::opaque}),
    entry_in<QLinearBinary, true>(kMicrosoftDomain, "QLinearMul", 1,
                                  {.inputs = 8, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(qlinear_binary, kEntries)

}  // namespace nm
