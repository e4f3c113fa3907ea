#include <bit>
#include <functional>

#include "tests/kernels/support.h"

namespace nm::test {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct UnaryCase {
  const char* name;
  Unary op;
  std::function<double(double)> reference;
  float low, high;      // where results are compared
  double ulp;           // allowed, of the result
  double absolute = 0;  // allowed besides
  float a = 0, b = 0;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::log1p(std::exp(-std::abs(x))) + std::fmax(x, 0); }
// The functions see the parameters as floats.
constexpr double f(float v) { return v; }

const std::vector<UnaryCase>& unary_cases() {
  static const std::vector<UnaryCase> cases = {
      {"copy", Unary::Copy, [](double x) { return x; }, -9, 9, 0},
      {"abs", Unary::Abs, [](double x) { return std::abs(x); }, -9, 9, 0},
      {"neg", Unary::Neg, [](double x) { return -x; }, -9, 9, 0},
      {"exp", Unary::Exp, [](double x) { return std::exp(x); }, -87.3f, 88.72f, 1.5},
      {"exp near zero", Unary::Exp, [](double x) { return std::exp(x); }, -1, 1, 1.5},
      {"log", Unary::Log, [](double x) { return std::log(x); }, 1e-37f, 100, 1.5},
      {"log of large", Unary::Log, [](double x) { return std::log(x); }, 1, 3e38f, 1.5},
      {"log near one", Unary::Log, [](double x) { return std::log(x); }, 0.7f, 1.4f, 1.5},
      {"sqrt", Unary::Sqrt, [](double x) { return std::sqrt(x); }, 0, 1e6, 0.51},
      {"rsqrt", Unary::Rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1e-6f, 1e6, 1.5},
      {"reciprocal", Unary::Reciprocal, [](double x) { return 1 / x; }, 1e-6f, 1e6, 0.51},
      {"square", Unary::Square, [](double x) { return x * x; }, -9, 9, 0.51},
      {"erf", Unary::Erf, [](double x) { return std::erf(x); }, -5, 5, 6},
      {"erf near zero", Unary::Erf, [](double x) { return std::erf(x); }, -0.01f, 0.01f, 4},
      {"tanh", Unary::Tanh, [](double x) { return std::tanh(x); }, -12, 12, 6},
      {"tanh near zero", Unary::Tanh, [](double x) { return std::tanh(x); }, -0.01f, 0.01f, 4},
      {"sigmoid", Unary::Sigmoid, sigmoid, -86, 30, 3},
      {"relu", Unary::Relu, [](double x) { return x > 0 ? x : 0; }, -9, 9, 0},
      {"clip", Unary::Clip, [](double x) { return std::fmin(std::fmax(x, -1), 6); }, -9, 9, 0, 0, -1, 6},
      {"leaky_relu", Unary::LeakyRelu, [](double x) { return x < 0 ? f(0.1f) * x : x; }, -9, 9, 0.51, 0, 0.1f},
      {"elu", Unary::Elu, [](double x) { return x < 0 ? f(0.7f) * std::expm1(x) : x; }, -20, 9, 4, 0, 0.7f},
      {"selu", Unary::Selu, [](double x) { return f(1.05f) * (x < 0 ? f(1.67f) * std::expm1(x) : x); }, -20, 9, 4, 0,
       1.67f, 1.05f},
      {"celu", Unary::Celu, [](double x) { return x < 0 ? f(0.7f) * std::expm1(x / f(0.7f)) : x; }, -20, 9, 6, 0, 0.7f},
      {"softplus", Unary::Softplus, softplus, -80, 80, 4},
      {"softsign", Unary::Softsign, [](double x) { return x / (1 + std::abs(x)); }, -90, 90, 2},
      {"hard_sigmoid", Unary::HardSigmoid, [](double x) { return std::fmin(std::fmax(f(0.2f) * x + 0.5, 0), 1); }, -9,
       9, 2, 1e-7, 0.2f, 0.5f},
      {"hard_swish", Unary::HardSwish, [](double x) { return x * std::fmin(std::fmax(x / 6 + 0.5, 0), 1); }, -9, 9, 4,
       2e-6},
      {"silu", Unary::Silu, [](double x) { return x * sigmoid(x); }, -86, 30, 4},
      {"gelu", Unary::Gelu, [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }, -9, 9, 4, 1e-6},
      {"gelu_tanh", Unary::GeluTanh,
       [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }, -9, 9, 4,
       1e-6},
      {"quick_gelu", Unary::QuickGelu, [](double x) { return x * sigmoid(f(1.702f) * x); }, -9, 9, 12, 0, 1.702f},
      {"mish", Unary::Mish, [](double x) { return x * std::tanh(softplus(x)); }, -60, 60, 10},
      {"thresholded_relu", Unary::ThresholdedRelu, [](double x) { return x > 0.5 ? x : 0; }, -9, 9, 0, 0, 0.5f},
      {"shrink", Unary::Shrink, [](double x) { return x < -1.5  ? x + 0.5
                                                      : x > 1.5 ? x - 0.5
                                                                : 0; }, -9, 9, 0.51, 0,
       1.5f, 0.5f},
      {"affine", Unary::Affine, [](double x) { return f(1.3f) * x + 0.25; }, -9, 9, 1, 1e-6, 1.3f, 0.25f},
      {"floor", Unary::Floor, [](double x) { return std::floor(x); }, -9, 9, 0},
      {"floor of large", Unary::Floor, [](double x) { return std::floor(x); }, -3e9f, 3e9f, 0},
      {"ceil", Unary::Ceil, [](double x) { return std::ceil(x); }, -9, 9, 0},
      {"round", Unary::Round, [](double x) { return std::nearbyint(x); }, -9, 9, 0},
      {"round of large", Unary::Round, [](double x) { return std::nearbyint(x); }, -2e7f, 2e7f, 0},
      {"sign", Unary::Sign, [](double x) { return x > 0   ? 1.
                                                  : x < 0 ? -1.
                                                          : 0.; }, -9, 9, 0},
      {"sin", Unary::Sin, [](double x) { return std::sin(x); }, -100, 100, 2, 3e-8},
      {"sin of large", Unary::Sin, [](double x) { return std::sin(x); }, -20000, 20000, 2, 1e-6},
      {"cos", Unary::Cos, [](double x) { return std::cos(x); }, -100, 100, 2, 3e-8},
      {"cos of large", Unary::Cos, [](double x) { return std::cos(x); }, -20000, 20000, 2, 1e-6},
      {"tan", Unary::Tan, [](double x) { return std::tan(x); }, -9, 9, 2},
      {"asin", Unary::Asin, [](double x) { return std::asin(x); }, -1, 1, 2},
      {"acos", Unary::Acos, [](double x) { return std::acos(x); }, -1, 1, 2},
      {"atan", Unary::Atan, [](double x) { return std::atan(x); }, -9, 9, 2},
      {"sinh", Unary::Sinh, [](double x) { return std::sinh(x); }, -9, 9, 3},
      {"cosh", Unary::Cosh, [](double x) { return std::cosh(x); }, -9, 9, 3},
      {"asinh", Unary::Asinh, [](double x) { return std::asinh(x); }, -9, 9, 3},
      {"acosh", Unary::Acosh, [](double x) { return std::acosh(x); }, 1, 9, 3},
      {"atanh", Unary::Atanh, [](double x) { return std::atanh(x); }, -0.99f, 0.99f, 3},
  };
  return cases;
}

double ulp_of(double value) {
  const float v = std::fmax(static_cast<float>(std::abs(value)), 1.17549435e-38f);
  return std::nextafter(v, inf) - static_cast<double>(v);
}

TEST_CASE("elementwise: quotients and roots are rounded as IEEE 754 says, for all kinds of numbers", "[elementwise]") {
  constexpr int64_t n = 100'000;
  Floats x(n), y(n), z(n);
  uint32_t state = 7;
  const auto any = [&] {
    state = state * 1664525 + 1013904223;
    const uint32_t bits = state ^ state >> 13;  // infinities, NaN and denormal numbers are among them
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  };
  for (int64_t i = 0; i < n; ++i) {
    x[i] = any();
    y[i] = any();
  }
  const float ends[] = {0, -0.f, inf, -inf, nan, 1e-45f, 1.1754944e-38f, 3.4028235e38f};
  for (int64_t i = 0; i < 64; ++i) {
    x[i] = ends[i / 8];
    y[i] = ends[i % 8];
  }
  const auto same = [](float a, float b) {
    return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
  };
  for_each_isa([&](const KernelTable& t) {
    const auto differ = [&](const auto& want) {
      int64_t count = 0;
      for (int64_t i = 0; i < n; ++i) count += !same(z[i], want(i));
      return count;
    };
    t.elementwise.binary(Binary::Div, x.data(), y.data(), z.data(), n);
    CHECK(differ([&](int64_t i) { return x[i] / y[i]; }) == 0);
    t.elementwise.unary(Unary::Sqrt, x.data(), z.data(), n, 0, 0);
    CHECK(differ([&](int64_t i) { return std::sqrt(x[i]); }) == 0);
    t.elementwise.unary(Unary::Reciprocal, x.data(), z.data(), n, 0, 0);
    CHECK(differ([&](int64_t i) { return 1 / x[i]; }) == 0);
  });
}

}  // namespace

TEST_CASE("unary: accuracy against double precision", "[elementwise]") {
  for_each_isa([](const KernelTable& t) {
    for (const UnaryCase& c : unary_cases()) {
      const int64_t n = 200003;
      Floats x = random_floats(n, c.low, c.high), y(n);
      x[0] = c.low;
      x[1] = c.high;
      // Half of the arguments spread over magnitudes rather than values.
      if (c.low > 0) {
        for (int64_t i = 2; i < n / 2; ++i) {
          x[i] = c.low * std::pow(c.high / c.low, static_cast<float>(i) / static_cast<float>(n / 2));
        }
      }
      t.elementwise.unary(c.op, x, y, n, c.a, c.b);
      double worst = 0;
      float where = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double want = c.reference(x[i]);
        double error = std::fmax(std::abs(y[i] - want) - c.absolute, 0) / ulp_of(want);
        // What comes from below to zero is -0: a quotient by it keeps its sign.
        if (y[i] == 0 && std::signbit(y[i]) != std::signbit(want)) error = inf;
        if (!(error <= worst)) {
          worst = error;
          where = x[i];
        }
      }
      INFO(t.isa << " " << c.name << " at " << where);
      CHECK(worst <= c.ulp);
      if (c.absolute == 0 && c.ulp > 0.51) UNSCOPED_INFO(c.name << ": " << worst << " ulp");
    }
  });
}

TEST_CASE("unary: every length, in place, and nothing past the end", "[elementwise]") {
  for_each_isa([](const KernelTable& t) {
    for (const UnaryCase& c : unary_cases()) {
      for (int64_t n = 0; n <= 67; ++n) {
        const Floats x = random_floats(n, std::fmax(c.low, -20.f), std::fmin(c.high, 20.f));
        Floats y(n), z(n, 3);
        std::memcpy(z.data(), x.data(), static_cast<size_t>(n) * 4);
        t.elementwise.unary(c.op, x, y, n, c.a, c.b);
        t.elementwise.unary(c.op, z, z, n, c.a, c.b);
        for (int64_t i = 0; i < n; ++i) {
          const double want = c.reference(x[i]);
          REQUIRE(std::abs(y[i] - want) <= 1e-5 * std::abs(want) + 1e-6);
          REQUIRE(y[i] == z[i]);
        }
      }
    }
  });
}

TEST_CASE("unary: infinities, NaN, signed zero", "[elementwise]") {
  struct Special {
    Unary op;
    float x, want;
    float a = 0, b = 0;
  };
  const Special specials[] = {
      {Unary::Exp, inf, inf},
      {Unary::Exp, -inf, 0},
      {Unary::Exp, 100, inf},
      {Unary::Exp, -200, 0},
      {Unary::Exp, nan, nan},
      {Unary::Exp, 0, 1},
      {Unary::Log, 0, -inf},
      {Unary::Log, -1, nan},
      {Unary::Log, inf, inf},
      {Unary::Log, nan, nan},
      {Unary::Log, 1, 0},
      {Unary::Tanh, inf, 1},
      {Unary::Tanh, -inf, -1},
      {Unary::Tanh, nan, nan},
      {Unary::Erf, inf, 1},
      {Unary::Erf, -inf, -1},
      {Unary::Erf, nan, nan},
      {Unary::Sigmoid, inf, 1},
      {Unary::Sigmoid, -inf, 0},
      {Unary::Sigmoid, nan, nan},
      {Unary::Relu, nan, nan},
      {Unary::Relu, -inf, 0},
      {Unary::Clip, nan, nan, 0, 6},
      {Unary::Clip, inf, 6, 0, 6},
      {Unary::Round, 0.5f, 0},
      {Unary::Round, 1.5f, 2},
      {Unary::Round, -2.5f, -2},
      {Unary::Round, nan, nan},
      {Unary::Round, -inf, -inf},
      {Unary::Floor, -inf, -inf},
      {Unary::Softplus, inf, inf},
      {Unary::Softplus, -inf, 0},
      {Unary::Softplus, nan, nan},
      {Unary::Softplus, 1000, 1000},
      {Unary::Elu, -inf, -2, 2},
      {Unary::Elu, nan, nan, 2},
      {Unary::Sign, nan, nan},
      {Unary::Sign, -0.f, 0},
      {Unary::Sin, inf, nan},
      {Unary::Cos, -inf, nan},
      {Unary::Reciprocal, 0, inf},
      {Unary::Sqrt, -1, nan},
      {Unary::Gelu, inf, inf},
      {Unary::Gelu, nan, nan},
      {Unary::LeakyRelu, nan, nan, 0.1f},
      {Unary::HardSwish, nan, nan},
      {Unary::HardSigmoid, nan, nan, 0.2f, 0.5f},
      {Unary::Mish, nan, nan},
      {Unary::Silu, nan, nan},
      {Unary::Abs, -inf, inf},
  };
  for_each_isa([&](const KernelTable& t) {
    for (const Special& s : specials) {
      for (int64_t n : {1, 17}) {
        Floats x(n), y(n);
        for (int64_t i = 0; i < n; ++i) x[i] = s.x;
        t.elementwise.unary(s.op, x, y, n, s.a, s.b);
        INFO(t.isa << " operation " << static_cast<int>(s.op) << " of " << s.x << " gave " << y[n - 1]);
        REQUIRE((y[n - 1] == s.want || (std::isnan(y[n - 1]) && std::isnan(s.want))));
        REQUIRE((y[0] == s.want || (std::isnan(y[0]) && std::isnan(s.want))));
      }
    }
  });
}

TEST_CASE("binary: every form and length", "[elementwise]") {
  const auto reference = [](Binary op, double x, double y) {
    switch (op) {
      case Binary::Add:
        return x + y;
      case Binary::Sub:
        return x - y;
      case Binary::Mul:
        return x * y;
      case Binary::Div:
        return x / y;
      case Binary::Min:
        return std::isnan(x) ? x : std::isnan(y) ? y : std::fmin(x, y);
      case Binary::Max:
        return std::isnan(x) ? x : std::isnan(y) ? y : std::fmax(x, y);
      case Binary::Pow:
        return std::pow(x, y);
      case Binary::Prelu:
        return x < 0 ? x * y : x;
      case Binary::SquaredDifference:
        return (x - y) * (x - y);
    }
    return 0.;
  };
  for_each_isa([&](const KernelTable& t) {
    for (int op = 0; op <= static_cast<int>(Binary::SquaredDifference); ++op) {
      const Binary binary = static_cast<Binary>(op);
      const bool pow = binary == Binary::Pow;
      for (int64_t n = 0; n <= 67; ++n) {
        Floats x = random_floats(n, pow ? 0.1f : -2, 2), y = random_floats(n, -2, 2, 9), z(n);
        if (n > 3 && (binary == Binary::Min || binary == Binary::Max)) {
          x[n - 1] = nan;
          y[n - 2] = nan;
          x[1] = inf;
        }
        for (float scalar : {2.f, 3.f, 1.f, -1.f, 0.5f, -1.75f}) {
          std::vector<double> vv, vs, sv;
          const float positive = std::abs(scalar);
          for (int64_t i = 0; i < n; ++i) {
            vv.push_back(reference(binary, x[i], y[i]));
            vs.push_back(reference(binary, x[i], scalar));
            sv.push_back(reference(binary, positive, y[i]));
          }
          INFO(t.isa << " operation " << op << " length " << n << " scalar " << scalar);
          t.elementwise.binary(binary, x, y, z, n);
          require_close(z, vv, 1e-6, 1e-6, "vector with vector");
          t.elementwise.binary_vs(binary, x, scalar, z, n);
          require_close(z, vs, 1e-6, 1e-6, "vector with scalar");
          t.elementwise.binary_sv(binary, positive, y, z, n);
          require_close(z, sv, 1e-6, 1e-6, "scalar with vector");
        }
      }
    }
  });
}

TEST_CASE("multiply_add and row_affine", "[elementwise]") {
  for_each_isa([](const KernelTable& t) {
    for (int64_t n = 1; n <= 67; ++n) {
      const int64_t rows = 3, ld = n + 2;
      const Floats x = random_floats(rows * ld), s = random_floats(n, -1, 1, 2), b = random_floats(n, -1, 1, 3);
      Floats z(n), y(rows * n);
      t.elementwise.multiply_add(x, s, b, z, n);
      std::vector<double> want;
      for (int64_t i = 0; i < n; ++i) want.push_back(static_cast<double>(x[i]) * s[i] + b[i]);
      require_close(z, want, 1e-6, 1e-6, "multiply_add");
      for (int form = 0; form < 4; ++form) {
        want.clear();
        for (int64_t i = 0; i < rows * n; ++i) {
          want.push_back(x[i / n * ld + i % n] * (form & 1 ? s[i % n] : 1.) + (form & 2 ? b[i % n] : 0.));
        }
        t.elementwise.row_affine(rows, n, x, ld, form & 1 ? s.data() : nullptr, form & 2 ? b.data() : nullptr, y, n);
        require_close(y, want, 1e-6, 1e-6, "row_affine");
      }
    }
  });
}

}  // namespace nm::test
