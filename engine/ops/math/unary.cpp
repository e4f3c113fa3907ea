// Functions of one number, element by element.
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/operator.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// float64; the kernels do float32.
double apply(Unary f, double x, double a, double b) {
  switch (f) {
    case Unary::Copy:
      return x;
    case Unary::Abs:
      return std::abs(x);
    case Unary::Neg:
      return -x;
    case Unary::Exp:
      return std::exp(x);
    case Unary::Log:
      return std::log(x);
    case Unary::Sqrt:
      return std::sqrt(x);
    case Unary::PowerOfHalf:
      return std::pow(x, 0.5);
    case Unary::Rsqrt:
      return 1 / std::sqrt(x);
    case Unary::Reciprocal:
      return 1 / x;
    case Unary::Square:
      return x * x;
    case Unary::Erf:
      return std::erf(x);
    case Unary::Tanh:
      return std::tanh(x);
    case Unary::Sigmoid:
      return sigmoid(x);
    case Unary::Relu:
      return x < 0 ? 0 : x;
    case Unary::Clip:
      return std::min(std::max(x, a), b);
    case Unary::LeakyRelu:
      return x < 0 ? a * x : x;
    case Unary::Elu:
      return x < 0 ? a * std::expm1(x) : x;
    case Unary::Selu:
      return b * (x < 0 ? a * std::expm1(x) : x);
    case Unary::Celu:
      return std::max(x, 0.0) + std::min(0.0, a * std::expm1(x / a));
    case Unary::Softplus:
      return softplus(x);
    case Unary::Softsign:
      return x / (1 + std::abs(x));
    case Unary::HardSigmoid:
      return std::min(std::max(a * x + b, 0.0), 1.0);
    case Unary::HardSwish:
      return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0);
    case Unary::Silu:
      return x * sigmoid(x);
    case Unary::Gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Unary::GeluTanh:
      return 0.5 * x * (1 + std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));  // sqrt(2/pi)
    case Unary::QuickGelu:
      return x * sigmoid(a * x);
    case Unary::Mish:
      return x * std::tanh(softplus(x));
    case Unary::ThresholdedRelu:
      return x > a ? x : 0;
    case Unary::Shrink:
      return x < -a ? x + b : x > a ? x - b : 0;
    case Unary::Affine:
      return a * x + b;
    case Unary::Floor:
      return std::floor(x);
    case Unary::Ceil:
      return std::ceil(x);
    case Unary::Round:
      return std::nearbyint(x);
    case Unary::Sign:
      return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0));
    case Unary::Sin:
      return std::sin(x);
    case Unary::Cos:
      return std::cos(x);
    case Unary::Tan:
      return std::tan(x);
    case Unary::Asin:
      return std::asin(x);
    case Unary::Acos:
      return std::acos(x);
    case Unary::Atan:
      return std::atan(x);
    case Unary::Sinh:
      return std::sinh(x);
    case Unary::Cosh:
      return std::cosh(x);
    case Unary::Asinh:
      return std::asinh(x);
    case Unary::Acosh:
      return std::acosh(x);
    case Unary::Atanh:
      return std::atanh(x);
  }
  return x;
}

bool takes_integers(Unary f) {
  return f == Unary::Abs || f == Unary::Neg || f == Unary::Relu || f == Unary::Sign || f == Unary::Shrink;
}

template <class T>
T apply_integer(Unary f, T x, double a, double b) {
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
      const double y = apply(f, static_cast<double>(x), a, b);
      return static_cast<T>(to_integer(y));
    }
  }
}

class UnaryOperator final : public Operator {
 public:
  UnaryOperator(Attributes& a, Unary f) : f_(f) {
    switch (f) {
      case Unary::LeakyRelu:
        a_ = a.number("alpha", 0.01f);
        break;
      case Unary::Elu:
      case Unary::ThresholdedRelu:
        a_ = a.number("alpha", 1);
        break;
      case Unary::Celu:
        a_ = a.number("alpha", 1);
        if (a_ == 0) a.fail("the attribute 'alpha' must not be 0");
        break;
      case Unary::Selu:
        a_ = a.number("alpha", a.version() < 6 ? 1.6732f : 1.67326319217681884765625f);
        b_ = a.number("gamma", a.version() < 6 ? 1.0507f : 1.05070102214813232421875f);
        break;
      case Unary::HardSigmoid:
        a_ = a.number("alpha", 0.2f);
        b_ = a.number("beta", 0.5f);
        break;
      case Unary::Shrink:
        a_ = a.number("lambd", 0.5f);
        b_ = a.number("bias", 0);
        break;
      case Unary::Gelu:
        choose_gelu(a);
        break;
      case Unary::Silu:  // Swish
        a_ = a.number("alpha", 1);
        if (a_ != 1) f_ = Unary::QuickGelu;
        break;
      case Unary::QuickGelu:
        a_ = a.number("alpha", 1.702f);
        break;
      default:
        break;
    }
  }

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 1));
    NM_TRY(takes_integers(f_) ? check_number(c, 0, "the input") : check_float(c, 0, "the input"));
    output_like(c, 0, 0);
    return {};
  }

  Status run(Execution& c) override {
    const Tensor& in = c.input(0);
    if (in.dtype() == DType::Float32) {
      const float* x = in.data<float>();
      float* y = c.out<float>(0);
      for_elements(in.count(), [&](int64_t begin, int64_t end) {
        kernels().elementwise.unary(f_, x + begin, y + begin, end - begin, a_, b_);
      });
      return {};
    }
    if (in.dtype() == DType::Float64) {
      const double* x = in.data<double>();
      double* y = c.out<double>(0);
      for (int64_t i = 0; i < in.count(); ++i) y[i] = apply(f_, x[i], a_, b_);
      return {};
    }
    return with_integer(in.dtype(), [&]<class T>() -> Status {
      const T* x = in.data<T>();
      T* y = c.out<T>(0);
      for (int64_t i = 0; i < in.count(); ++i) y[i] = apply_integer(f_, x[i], a_, b_);
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }
  std::optional<Pointwise> pointwise(const Inference&) const override { return Pointwise{f_, a_, b_}; }
  double flops(const Inference& c) const override { return static_cast<double>(c.shape(0).count()); }

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
