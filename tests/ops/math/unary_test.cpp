#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct Case {
  const char* op;
  int version;
  AttributeMap attributes;
  double (*expected)(double);
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

const Case kCases[] = {
    {"Abs", 13, {}, [](double x) { return std::abs(x); }},
    {"Neg", 6, {}, [](double x) { return -x; }},
    {"Exp", 13, {}, [](double x) { return std::exp(x); }},
    {"Reciprocal", 13, {}, [](double x) { return 1 / x; }},
    {"Erf", 9, {}, [](double x) { return std::erf(x); }},
    {"Tanh", 1, {}, [](double x) { return std::tanh(x); }},
    {"Sigmoid", 13, {}, sigmoid},
    {"Relu", 14, {}, [](double x) { return std::max(x, 0.0); }},
    {"LeakyRelu", 16, {}, [](double x) { return x < 0 ? 0.01 * x : x; }},
    {"LeakyRelu", 6, {{"alpha", 0.25f}}, [](double x) { return x < 0 ? 0.25 * x : x; }},
    {"Elu", 6, {{"alpha", 2.0f}}, [](double x) { return x < 0 ? 2 * (std::exp(x) - 1) : x; }},
    {"Selu", 6, {{"alpha", 2.0f}, {"gamma", 3.0f}}, [](double x) { return x < 0 ? 3 * (2 * std::exp(x) - 2) : 3 * x; }},
    {"Selu", 22, {}, [](double x) { return 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * std::expm1(x) : x); }},
    {"Celu", 12, {{"alpha", 2.0f}}, [](double x) { return x < 0 ? 2 * (std::exp(x / 2) - 1) : x; }},
    {"Softplus", 22, {}, [](double x) { return std::log(1 + std::exp(x)); }},
    {"Softsign", 1, {}, [](double x) { return x / (1 + std::abs(x)); }},
    {"HardSigmoid", 6, {}, [](double x) { return std::min(1.0, std::max(0.0, 0.2 * x + 0.5)); }},
    {"HardSwish", 14, {}, [](double x) { return x * std::min(1.0, std::max(0.0, x / 6 + 0.5)); }},
    {"Mish", 18, {}, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }},
    {"Gelu", 20, {}, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
    {"Gelu",
     20,
     {{"approximate", std::string("tanh")}},
     [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
    {"Swish", 24, {}, [](double x) { return x * sigmoid(x); }},
    {"Swish", 24, {{"alpha", 0.5f}}, [](double x) { return x * sigmoid(0.5 * x); }},
    {"ThresholdedRelu", 10, {{"alpha", 0.75f}}, [](double x) { return x > 0.75 ? x : 0; }},
    {"Shrink",
     9,
     {{"lambd", 1.5f}, {"bias", 0.5f}},
     [](double x) { return x < -1.5  ? x + 0.5
                           : x > 1.5 ? x - 0.5
                                     : 0; }},
    {"Floor", 13, {}, [](double x) { return std::floor(x); }},
    {"Ceil", 6, {}, [](double x) { return std::ceil(x); }},
    {"Round", 11, {}, [](double x) { return std::nearbyint(x); }},
    {"Sign", 13, {}, [](double x) { return static_cast<double>((x > 0) - (x < 0)); }},
    {"Sin", 7, {}, [](double x) { return std::sin(x); }},
    {"Cos", 22, {}, [](double x) { return std::cos(x); }},
    {"Tan", 7, {}, [](double x) { return std::tan(x); }},
    {"Atan", 7, {}, [](double x) { return std::atan(x); }},
    {"Sinh", 9, {}, [](double x) { return std::sinh(x); }},
    {"Cosh", 9, {}, [](double x) { return std::cosh(x); }},
    {"Asinh", 9, {}, [](double x) { return std::asinh(x); }},
    // Where these are defined.
    {"Log", 13, {}, [](double x) { return std::log(x); }},
    {"Sqrt", 13, {}, [](double x) { return std::sqrt(x); }},
    {"Asin", 7, {}, [](double x) { return std::asin(x); }},
    {"Acos", 7, {}, [](double x) { return std::acos(x); }},
    {"Acosh", 9, {}, [](double x) { return std::acosh(x); }},
    {"Atanh", 9, {}, [](double x) { return std::atanh(x); }},
};

TEST_CASE("unary operators follow their formulas in float32 and float64", "[ops][unary]") {
  const std::initializer_list<double> xs = {-3, -2.5, -1.5, -0.9, -0.25, 0.3, 0.5, 0.75, 1, 1.5, 2.25, 4};
  for (const Case& t : kCases) {
    Tensor x32 = *Tensor::create(DType::Float32, Shape{3, 4}), y32 = *Tensor::create(DType::Float32, Shape{3, 4});
    Tensor x64 = *Tensor::create(DType::Float64, Shape{3, 4}), y64 = *Tensor::create(DType::Float64, Shape{3, 4});
    int i = 0;
    for (const double x : xs) {
      x64.data<double>()[i] = x32.data<float>()[i] = static_cast<float>(x);
      y64.data<double>()[i] = t.expected(x64.data<double>()[i]);
      y32.data<float>()[i] = static_cast<float>(y64.data<double>()[i]);
      ++i;
    }
    check(node(t.op, t.version, t.attributes), {x32}, {y32}, 2e-6, 1e-6);
    check(node(t.op, t.version, t.attributes), {x64}, {y64}, 1e-6, 1e-9);  // attributes are float32
  }
}

TEST_CASE("unary operators: integers, empty tensors, scalars, NaN", "[ops][unary]") {
  check(node("Abs", 13), {tensor<int8_t>({3}, {-128, -5, 7})}, {tensor<int8_t>({3}, {-128, 5, 7})});
  check(node("Neg", 13), {tensor<int64_t>({2}, {INT64_MIN, 3})}, {tensor<int64_t>({2}, {INT64_MIN, -3})});
  check(node("Sign", 9), {tensor<uint16_t>({2}, {0, 40000})}, {tensor<uint16_t>({2}, {0, 1})});
  check(node("Relu", 14), {tensor<int32_t>({2}, {-4, 4})}, {tensor<int32_t>({2}, {0, 4})});
  check(node("Shrink", 9, {{"lambd", 1.5f}}), {tensor<int32_t>({3}, {-2, 1, 2})}, {tensor<int32_t>({3}, {-2, 0, 2})});
  check(node("Exp", 13), {tensor<float>({2, 0}, {})}, {tensor<float>({2, 0}, {})});
  check(node("Neg", 13), {tensor<float>({}, {2})}, {tensor<float>({}, {-2})});
  check(node("Relu", 14), {tensor<float>({2}, {kNaN, -kInf})}, {tensor<float>({2}, {kNaN, 0})});
  check(node("Round", 11), {tensor<float>({4}, {0.5f, 1.5f, -2.5f, -0.2f})}, {tensor<float>({4}, {0, 2, -2, -0.f})});
  check(node("QuickGelu", 1, {}, "com.microsoft"), {tensor<float>({1}, {1})}, {tensor<float>({1}, {0.8457958f})});
}

TEST_CASE("unary operators refuse what they do not take", "[ops][unary]") {
  check_fails(node("Exp", 13), {tensor<int32_t>({1}, {1})}, Code::TypeMismatch);
  check_fails(node("Neg", 13), {tensor<bool>({1}, {true})}, Code::TypeMismatch);
  check_fails(node("Gelu", 20, {{"approximate", std::string("fast")}}), {tensor<float>({1}, {1})}, Code::InvalidModel);
  check_fails(node("Celu", 12, {{"alpha", 0.0f}}), {tensor<float>({1}, {1})}, Code::InvalidModel);
}

TEST_CASE("Clip takes bounds from attributes or inputs", "[ops][clip]") {
  const Tensor x = tensor<float>({4}, {-2, -0.5f, 0.5f, 2});
  check(node("Clip", 6, {{"min", -1.0f}, {"max", 1.0f}}), {x}, {tensor<float>({4}, {-1, -0.5f, 0.5f, 1})});
  check(node("Clip", 6), {x}, {x});
  check(node("Clip", 13), {x, tensor<float>({}, {-1})}, {tensor<float>({4}, {-1, -0.5f, 0.5f, 2})});
  check(node("Clip", 13), {x, Value(), tensor<float>({}, {0})}, {tensor<float>({4}, {-2, -0.5f, 0, 0})});
  check(node("Clip", 12), {tensor<int8_t>({3}, {-9, 0, 9}), tensor<int8_t>({}, {-3}), tensor<int8_t>({}, {4})},
        {tensor<int8_t>({3}, {-3, 0, 4})});
  check(node("Clip", 12), {tensor<double>({2}, {-9, 9}), Value(), tensor<double>({}, {4})},
        {tensor<double>({2}, {-9, 4})});
  check_fails(node("Clip", 13), {x, tensor<float>({2}, {0, 1})}, Code::ShapeMismatch);
  check_fails(node("Clip", 13), {x, tensor<double>({}, {0})}, Code::TypeMismatch);
}

}  // namespace
}  // namespace nm::test
