// One step of training: ai.onnx.preview.training's Adagrad, Adam and Momentum. The inputs are the rate, the count of
// updates so far, then as many tensors as there are to update, their gradients, and one or two groups of state; the
// outputs are the updated tensors and states in the same order.
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

constexpr std::string_view kTrainingDomain = "ai.onnx.preview.training";

enum class Method { Adagrad, Adam, Momentum };

class Optimizer final : public Operator {
 public:
  Optimizer(Attributes& a, Method method)
      : method_(method),
        states_(method == Method::Adam ? 2 : 1),
        norm_(a.number("norm_coefficient", 0)),
        norm_after_(a.number("norm_coefficient_post", 0)),
        decay_(a.number("decay_factor", 0)),
        epsilon_(a.number("epsilon", method == Method::Momentum ? 0 : 1e-6f)),
        alpha_(a.number("alpha", 0.9f)),
        beta_(a.number("beta", 0.999f)),
        nesterov_(a.string("mode", "standard") == "nesterov") {
    if (method != Method::Momentum) return;
    for (const char* name : {"alpha", "beta", "mode", "norm_coefficient"}) a.require(name);
    const std::string mode = a.string("mode", "");
    if (mode != "standard" && mode != "nesterov") {
      a.fail(text("the attribute 'mode' is '", mode, "'; expected standard or nesterov"));
    }
  }

  Status infer(Inference& inference) const override {
    const size_t groups = 2 + states_;
    const size_t each = inference.input_count() < 2 ? 0 : (inference.input_count() - 2) / groups;
    if (each == 0 || each * groups + 2 != inference.input_count()) {
      return {Code::MissingInput,
              text("there are ", inference.input_count(), " inputs; expected the rate, the count, and ", groups,
                   " tensors for each that is updated")};
    }
    NM_TRY(check_tensors(inference, inference.input_count()));
    NM_TRY(check_type(inference, 0, "the rate", {DType::Float32, DType::Float64}));
    NM_TRY(check_scalar(inference, 0, "the rate"));
    NM_TRY(check_type(inference, 1, "the count of updates", {DType::Int64}));
    NM_TRY(check_scalar(inference, 1, "the count of updates"));
    for (size_t i = 0; i < each; ++i) {
      for (size_t g = 0; g < groups; ++g) {
        const size_t at = 2 + g * each + i;
        NM_TRY(check_type(inference, at, text("input ", at), {DType::Float32, DType::Float64}));
        if (inference.type(at) != inference.type(2 + i))
          return wrong_type(text("input ", at), inference.type(at), dtype_name(inference.type(2 + i)));
        if (inference.has_shape(at) && inference.has_shape(2 + i) && inference.shape(at).known() &&
            inference.shape(2 + i).known() && !(inference.shape(at) == inference.shape(2 + i))) {
          return wrong_shape(text("input ", at), inference.shape(at), to_string(inference.shape(2 + i)));
        }
      }
      for (size_t o = 0; o <= states_; ++o) output_like(inference, o * each + i, 2 + i);
    }
    return {};
  }

  Status run(Execution& execution) override {
    const size_t each = (execution.input_count() - 2) / (2 + states_);
    double rate = 0;
    NM_TRY(with_float(execution.input(0).dtype(), [&]<class T>() -> Status {
      rate = static_cast<double>(*execution.data<T>(0));
      return {};
    }));
    const auto count = static_cast<double>(*execution.data<int64_t>(1));
    for (size_t i = 0; i < each; ++i) {
      NM_TRY(with_float(execution.input(2 + i).dtype(),
                        [&]<class T>() -> Status { return update<T>(execution, i, each, rate, count); }));
    }
    return {};
  }

 private:
  template <class T>
  Status update(Execution& execution, size_t i, size_t each, double rate, double count) const {
    const Tensor& x = execution.input(2 + i);
    const T* gradient = execution.data<T>(2 + each + i);
    const T* first = execution.data<T>(2 + 2 * each + i);
    const T* second = states_ == 2 ? execution.data<T>(2 + 3 * each + i) : nullptr;
    T* out[3];
    for (size_t o = 0; o <= states_; ++o)
      out[o] = execution.wants(o * each + i) ? execution.out<T>(o * each + i) : nullptr;
    if (method_ == Method::Adagrad) rate /= 1 + count * decay_;
    if (method_ == Method::Adam && count > 0) {
      rate *= std::sqrt(1 - std::pow(beta_, count)) / (1 - std::pow(alpha_, count));
    }
    for (int64_t k = 0; k < x.count(); ++k) {
      const double was = static_cast<double>(x.data<T>()[k]);
      const double slope = norm_ * was + static_cast<double>(gradient[k]);
      double now = was;
      double state[2] = {static_cast<double>(first[k]), second ? static_cast<double>(second[k]) : 0};
      switch (method_) {
        case Method::Adagrad:
          state[0] += slope * slope;
          now -= rate * slope / (std::sqrt(state[0]) + epsilon_);
          break;
        case Method::Adam:
          state[0] = alpha_ * state[0] + (1 - alpha_) * slope;
          state[1] = beta_ * state[1] + (1 - beta_) * slope * slope;
          now = (1 - norm_after_) * (was - rate * state[0] / (std::sqrt(state[1]) + epsilon_));
          break;
        case Method::Momentum:
          state[0] = alpha_ * state[0] + (count > 0 ? beta_ : 1) * slope;
          now -= rate * (nesterov_ ? slope + alpha_ * state[0] : state[0]);
          break;
      }
      if (out[0]) out[0][k] = static_cast<T>(now);
      for (size_t s = 0; s < states_; ++s) {
        if (out[1 + s]) out[1 + s][k] = static_cast<T>(state[s]);
      }
    }
    return {};
  }

  Method method_;
  size_t states_;  // for each tensor
  double norm_, norm_after_, decay_, epsilon_, alpha_, beta_;
  bool nesterov_;
};

}  // namespace

constexpr Facts kOptimizer = {.inputs = kAny, .outputs = kAny, .layout = layout::opaque};

constexpr OperatorEntry kEntries[] = {
    entry_in<Optimizer, Method::Adagrad>(kTrainingDomain, "Adagrad", 1, kOptimizer),
    entry_in<Optimizer, Method::Adam>(kTrainingDomain, "Adam", 1, kOptimizer),
    entry_in<Optimizer, Method::Momentum>(kTrainingDomain, "Momentum", 1, kOptimizer),
};

NM_OPERATORS(optimizer, kEntries)

}  // namespace nm
