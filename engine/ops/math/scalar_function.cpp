#include "engine/ops/math/scalar_function.h"

#include <algorithm>
#include <cmath>

namespace nm {
namespace {

template <class T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

template <class T>
T softplus(T x) {
  return std::max(x, T{0}) + std::log1p(std::exp(-std::abs(x)));
}

template <class T>
T apply(Unary f, T x, T a, T b) {
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
      return std::pow(x, T(0.5));
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
      return std::max(x, T{0}) + std::min(T{0}, a * std::expm1(x / a));
    case Unary::Softplus:
      return softplus(x);
    case Unary::Softsign:
      return x / (1 + std::abs(x));
    case Unary::HardSigmoid:
      return std::min(std::max(a * x + b, T{0}), T{1});
    case Unary::HardSwish:
      return x * std::min(std::max(x / 6 + T(0.5), T{0}), T{1});
    case Unary::Silu:
      return x * sigmoid(x);
    case Unary::Gelu:
      return T(0.5) * x * (1 + std::erf(x / std::sqrt(T{2})));
    case Unary::GeluTanh:
      return T(0.5) * x * (1 + std::tanh(T(0.79788456080286535588) * (x + T(0.044715) * x * x * x)));  // sqrt(2/pi)
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
      return std::isnan(x) ? x : static_cast<T>((x > 0) - (x < 0));
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

}  // namespace

double apply_unary(Unary f, double x, float a, float b) { return apply<double>(f, x, a, b); }

float apply_unary(Unary f, float x, float a, float b) { return apply<float>(f, x, a, b); }

UnaryParameters usual_parameters(Unary f) {
  switch (f) {
    case Unary::Clip:
      return {-INFINITY, INFINITY};
    case Unary::LeakyRelu:
      return {0.01f};
    case Unary::Elu:
    case Unary::Celu:
    case Unary::ThresholdedRelu:
    case Unary::Affine:
      return {1};
    case Unary::Selu:
      return {1.67326319217681884765625f, 1.05070102214813232421875f};
    case Unary::HardSigmoid:
      return {0.2f, 0.5f};
    case Unary::QuickGelu:
      return {1.702f};
    case Unary::Shrink:
      return {0.5f};
    default:
      return {};
  }
}

}  // namespace nm
