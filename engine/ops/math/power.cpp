// Pow and Mod: binary operators with rules of their own for integers.
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/binary.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

// Base and exponent may have different types from operator set 12 on; the result has the base's.
class Pow final : public Operator {
 public:
  explicit Pow(Attributes& a) : aligned_(a.version() < 7 && a.has("axis")), axis_(a.integer("axis", 0)) {
    if (a.version() < 7) a.ignore({"broadcast"});  // shapes say whether it is needed
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_number(inference, 0, "the base"));
    NM_TRY(check_number(inference, 1, "the exponent"));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const auto y = exponent_shape(inference.shape(0), inference.shape(1));
    if (!y)
      return wrong_shape("the exponent", inference.shape(1),
                         text("a shape that lies within ", to_string(inference.shape(0))));
    NM_ASSIGN(const Shape shape, broadcast_or_fail(inference.shape(0), *y));
    inference.output(0, inference.type(0), shape);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const Tensor& y = execution.input(1);
    Tensor& out = execution.output(0);
    const auto y_shape = exponent_shape(x.shape(), y.shape());
    if (x.dtype() == DType::Float32 && y.count() == 1 && out.shape() == x.shape()) {
      return scalar(x, y, out);
    }
    if (x.dtype() == y.dtype() && is_float(x.dtype())) return apply_binary(Binary::Pow, x, y, *y_shape, out);
    const Broadcast b(out.shape(), {&x.shape(), &*y_shape});
    const bool whole = is_integer(y.dtype());
    const Exponent exponent = exponent_reader(y.dtype());
    if (exponent == nullptr) return no_arithmetic(y.dtype());
    return with_number(x.dtype(), [&]<class T>() -> Status {
      const T* px = x.data<T>();
      T* pz = out.data<T>();
      b.walk(0, b.count(), [&](const Broadcast::Run& r) {
        for (int64_t i = 0; i < r.count; ++i) {
          const Number e = exponent(y.raw(), r.in[1] + i * b.step(1));
          const T base = px[r.in[0] + i * b.step(0)];
          pz[r.out + i] = std::is_integral_v<T> && whole ? whole_power(base, e.whole) : real_power(base, e.real);
        }
      });
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }
  std::optional<Pointwise> pointwise(const Inference& inference) const override {
    if (aligned_ || inference.type(1) != DType::Float32 || inference.value(1) == nullptr) return std::nullopt;
    if (inference.value(1)->count() == 1 && *inference.value(1)->data<float>() == 0.5f)
      return Pointwise{Unary::PowerOfHalf};
    return Pointwise{Binary::Pow};
  }
  double flops(const Inference& inference) const override { return static_cast<double>(inference.shape(0).count()); }

 private:
  // Squares, roots and cubes, which normalisations and GELUs are full of.
  static Status scalar(const Tensor& x, const Tensor& y, Tensor& out) {
    double e = 0;
    NM_TRY(with_number(y.dtype(), [&]<class E>() -> Status {
      e = static_cast<double>(*y.data<E>());
      return {};
    }));
    const ElementwiseKernels& k = kernels().elementwise;
    const float* p = x.data<float>();
    float* q = out.data<float>();
    for_elements(out.count(), [&](int64_t begin, int64_t end) {
      const int64_t n = end - begin;
      const float* from = p + begin;
      float* to = q + begin;
      if (e == 2) {
        k.unary(Unary::Square, from, to, n, 0, 0);
      } else if (e == 0.5) {
        k.unary(Unary::PowerOfHalf, from, to, n, 0, 0);
      } else if (e == 3 && from != to) {
        k.unary(Unary::Square, from, to, n, 0, 0);
        k.binary(Binary::Mul, from, to, to, n);
      } else {
        k.binary_vs(Binary::Pow, from, static_cast<float>(e), to, n);
      }
    });
    return {};
  }

  // An element of the exponent, both as float64 and, of integers, exactly (negative ones as they are).
  struct Number {
    double real;
    int64_t whole;
  };
  using Exponent = Number (*)(const void*, int64_t);

  static Exponent exponent_reader(DType dtype) {
    Exponent reader = nullptr;
    const Status known = with_number(dtype, [&]<class E>() -> Status {
      reader = [](const void* data, int64_t i) -> Number {
        const E e = static_cast<const E*>(data)[i];
        if constexpr (std::is_integral_v<E>) return {static_cast<double>(e), static_cast<int64_t>(e)};
        return {static_cast<double>(e), 0};
      };
      return {};
    });
    return known.ok() ? reader : nullptr;
  }

  // By squaring: exact where the result fits, wrapping where it does not.
  template <class T>
  static T whole_power(T base, int64_t exponent) {
    if (exponent < 0) {
      if (base == T{1}) return base;
      return std::is_signed_v<T> && base == static_cast<T>(-1) ? (exponent % 2 != 0 ? base : T{1}) : T{0};
    }
    T result{1};
    T square = base;
    for (auto e = static_cast<uint64_t>(exponent); e != 0; e >>= 1) {
      if (e & 1) result = multiply(result, square);
      square = multiply(square, square);
    }
    return result;
  }

  template <class T>
  static T real_power(T base, double exponent) {
    const double value = std::pow(static_cast<double>(base), exponent);
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(to_integer(value));
    }
    return static_cast<T>(value);
  }

  std::optional<Shape> exponent_shape(const Shape& x, const Shape& y) const {
    if (!aligned_ || y.rank() == 0) return y;
    return align_at_axis(x, y, axis_);
  }

  bool aligned_;
  int64_t axis_;
};

class Mod final : public Operator {
 public:
  explicit Mod(Attributes& a) : like_c_(a.flag("fmod", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_number(inference, 0, "input 0"));
    NM_ASSIGN(const DType type, common_type(inference, 0, 2));
    inference.output(0, type);
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    NM_ASSIGN(const Shape shape, broadcast_or_fail(inference.shape(0), inference.shape(1)));
    inference.output(0, type, shape);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const Tensor& y = execution.input(1);
    Tensor& out = execution.output(0);
    const Broadcast b(out.shape(), {&x.shape(), &y.shape()});
    return with_number(x.dtype(), [&]<class T>() -> Status {
      if constexpr (std::is_integral_v<T>) {
        for (const T v : y.span<T>()) {
          if (v == 0) return {Code::InvalidData, "the divisor (input 1) of Mod must not hold zeros"};
        }
      }
      const T* px = x.data<T>();
      const T* py = y.data<T>();
      T* pz = out.data<T>();
      b.walk(0, b.count(), [&](const Broadcast::Run& r) {
        for (int64_t i = 0; i < r.count; ++i) {
          pz[r.out + i] = modulo(px[r.in[0] + i * b.step(0)], py[r.in[1] + i * b.step(1)]);
        }
      });
      return {};
    });
  }

  bool in_place(size_t i) const override { return i < 2; }

 private:
  // The remainder has the dividend's sign, as in C, or the divisor's, as in Python.
  template <class T>
  T modulo(T x, T y) const {
    if constexpr (std::is_integral_v<T>) {
      if constexpr (std::is_signed_v<T>) {
        if (y == -1) return 0;
      }
      const T rest = static_cast<T>(x % y);
      return !like_c_ && rest != 0 && (rest < 0) != (y < 0) ? static_cast<T>(rest + y) : rest;
    } else {
      const T rest = std::fmod(x, y);
      if (!like_c_ && rest == 0) return std::copysign(rest, y);
      return !like_c_ && (rest < 0) != (y < 0) ? rest + y : rest;
    }
  }

  bool like_c_;
};

}  // namespace

constexpr AttributeRange kPowAttributes[] = {{"axis", 1, 6}};

constexpr OperatorEntry kEntries[] = {
    entry<Pow>("Pow", 1, {.inputs = 2, .outputs = 1, .layout = layout::elementwise, .attributes = kPowAttributes}),
    entry<Mod>("Mod", 10, {.inputs = 2, .outputs = 1, .layout = layout::elementwise}),
};

NM_OPERATORS(power, kEntries)

}  // namespace nm
