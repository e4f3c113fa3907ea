// Functions of one number, element by element.
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/operator.h"
#include "engine/op/registry.h"
#include "engine/ops/math/scalar_function.h"

namespace nm {
namespace {

bool takes_integers(Unary f) {
  return f == Unary::Abs || f == Unary::Neg || f == Unary::Relu || f == Unary::Sign || f == Unary::Shrink;
}

template <class T>
T apply_integer(Unary f, T x, float a, float b) {
  const bool negative = std::is_signed_v<T> && x < 0;
  switch (f) {
    case Unary::Abs:
      return negative ? subtract(T{0}, x) : x;
    case Unary::Neg:
      return subtract(T{0}, x);
    case Unary::Relu:
      return negative ? T{0} : x;
    case Unary::Sign:
      return static_cast<T>(negative ? -1 : x != 0);
    default: {  // Shrink, whose bounds are floats
      const double y = apply_unary(f, static_cast<double>(x), a, b);
      return static_cast<T>(to_integer(y));
    }
  }
}

class UnaryOperator final : public Operator {
 public:
  UnaryOperator(Attributes& a, Unary f) : f_(f) {
    const UnaryParameters usual = usual_parameters(f);
    switch (f) {
      case Unary::LeakyRelu:
      case Unary::Elu:
      case Unary::ThresholdedRelu:
      case Unary::QuickGelu:
        a_ = a.number("alpha", usual.a);
        break;
      case Unary::Celu:
        a_ = a.number("alpha", usual.a);
        if (a_ == 0) a.fail("the attribute 'alpha' must not be 0");
        break;
      case Unary::Selu:
        a_ = a.number("alpha", a.version() < 6 ? 1.6732f : usual.a);
        b_ = a.number("gamma", a.version() < 6 ? 1.0507f : usual.b);
        break;
      case Unary::HardSigmoid:
        a_ = a.number("alpha", usual.a);
        b_ = a.number("beta", usual.b);
        break;
      case Unary::Shrink:
        a_ = a.number("lambd", usual.a);
        b_ = a.number("bias", usual.b);
        break;
      case Unary::Gelu:
        choose_gelu(a);
        break;
      case Unary::Silu:  // Swish
        a_ = a.number("alpha", 1);
        if (a_ != 1) f_ = Unary::QuickGelu;
        break;
      default:
        break;
    }
    a.function(f_, a.op_type());
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(takes_integers(f_) ? check_number(inference, 0, "the input") : check_float(inference, 0, "the input"));
    output_like(inference, 0, 0);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.dtype() == DType::Float32) {
      const float* x = in.data<float>();
      float* y = execution.out<float>(0);
      for_elements(in.count(), [&](int64_t begin, int64_t end) {
        kernels().elementwise.unary(f_, x + begin, y + begin, end - begin, a_, b_);
      });
      return {};
    }
    if (in.dtype() == DType::Float64) {
      const double* x = in.data<double>();
      double* y = execution.out<double>(0);
      for (int64_t i = 0; i < in.count(); ++i) y[i] = apply_unary(f_, x[i], a_, b_);
      return {};
    }
    return with_integer(in.dtype(), [&]<class T>() -> Status {
      const T* x = in.data<T>();
      T* y = execution.out<T>(0);
      for (int64_t i = 0; i < in.count(); ++i) y[i] = apply_integer(f_, x[i], a_, b_);
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }
  std::optional<Pointwise> pointwise(const Inference&) const override { return Pointwise{f_, a_, b_}; }
  double flops(const Inference& inference) const override { return static_cast<double>(inference.shape(0).count()); }

 private:
  void choose_gelu(Attributes& a) {
    const std::string form = a.string("approximate", "none");
    if (form == "tanh") {
      f_ = Unary::GeluTanh;
    } else if (form != "none") {
      a.fail(text("the attribute 'approximate' is '", form, "'; it must be 'none' or 'tanh'"));
    }
  }

  Unary f_;
  float a_ = 0;
  float b_ = 0;
};

}  // namespace

constexpr Facts kUnary = {.inputs = 1, .outputs = 1, .layout = layout::elementwise};

constexpr OperatorEntry kEntries[] = {
    entry<UnaryOperator, Unary::Abs>("Abs", 1, kUnary),
    entry<UnaryOperator, Unary::Neg>("Neg", 1, kUnary),
    entry<UnaryOperator, Unary::Exp>("Exp", 1, kUnary),
    entry<UnaryOperator, Unary::Log>("Log", 1, kUnary),
    entry<UnaryOperator, Unary::Sqrt>("Sqrt", 1, kUnary),
    entry<UnaryOperator, Unary::Reciprocal>("Reciprocal", 1, kUnary),
    entry<UnaryOperator, Unary::Erf>("Erf", 9, kUnary),
    entry<UnaryOperator, Unary::Tanh>("Tanh", 1, kUnary),
    entry<UnaryOperator, Unary::Sigmoid>("Sigmoid", 1, kUnary),
    entry<UnaryOperator, Unary::Relu>("Relu", 1, kUnary),
    entry<UnaryOperator, Unary::LeakyRelu>("LeakyRelu", 1, kUnary),
    entry<UnaryOperator, Unary::Elu>("Elu", 1, kUnary),
    entry<UnaryOperator, Unary::Selu>("Selu", 1, kUnary),
    entry<UnaryOperator, Unary::Celu>("Celu", 12, kUnary),
    entry<UnaryOperator, Unary::Softplus>("Softplus", 1, kUnary),
    entry<UnaryOperator, Unary::Softsign>("Softsign", 1, kUnary),
    entry<UnaryOperator, Unary::HardSigmoid>("HardSigmoid", 1, kUnary),
    entry<UnaryOperator, Unary::HardSwish>("HardSwish", 14, kUnary),
    entry<UnaryOperator, Unary::Mish>("Mish", 18, kUnary),
    entry<UnaryOperator, Unary::Gelu>("Gelu", 20, kUnary),
    entry<UnaryOperator, Unary::Silu>("Swish", 24, kUnary),
    // before 10 as an experiment
    entry<UnaryOperator, Unary::ThresholdedRelu>("ThresholdedRelu", 1, kUnary),
    entry<UnaryOperator, Unary::Shrink>("Shrink", 9, kUnary),
    entry<UnaryOperator, Unary::Floor>("Floor", 1, kUnary),
    entry<UnaryOperator, Unary::Ceil>("Ceil", 1, kUnary),
    entry<UnaryOperator, Unary::Round>("Round", 11, kUnary),
    entry<UnaryOperator, Unary::Sign>("Sign", 9, kUnary),
    entry<UnaryOperator, Unary::Sin>("Sin", 7, kUnary),
    entry<UnaryOperator, Unary::Cos>("Cos", 7, kUnary),
    entry<UnaryOperator, Unary::Tan>("Tan", 7, kUnary),
    entry<UnaryOperator, Unary::Asin>("Asin", 7, kUnary),
    entry<UnaryOperator, Unary::Acos>("Acos", 7, kUnary),
    entry<UnaryOperator, Unary::Atan>("Atan", 7, kUnary),
    entry<UnaryOperator, Unary::Sinh>("Sinh", 9, kUnary),
    entry<UnaryOperator, Unary::Cosh>("Cosh", 9, kUnary),
    entry<UnaryOperator, Unary::Asinh>("Asinh", 9, kUnary),
    entry<UnaryOperator, Unary::Acosh>("Acosh", 9, kUnary),
    entry<UnaryOperator, Unary::Atanh>("Atanh", 9, kUnary),
    entry_in<UnaryOperator, Unary::Gelu>(kMicrosoftDomain, "Gelu", 1, kUnary),
    entry_in<UnaryOperator, Unary::QuickGelu>(kMicrosoftDomain, "QuickGelu", 1, kUnary),
};

NM_OPERATORS(unary, kEntries)

}  // namespace nm
