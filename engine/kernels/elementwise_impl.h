#pragma once
#include <cmath>
#include <limits>
#include <type_traits>

#include "engine/kernels/functions.h"
#include "engine/simd/math.h"

namespace nm::impl {

using simd::vf;

// Functions too rare for a vector version.
template <class A, class F>
void map_scalar(const float* x, float* y, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}

template <class A>
void sin_cos_run(const float* x, float* y, int64_t n, int quadrant) {
  constexpr int64_t w = simd::lanes<A>;
  const vf<A> limit(simd::sin_cos_limit);
  for (int64_t i = 0; i < n; i += w) {
    const int64_t count = n - i < w ? n - i : w;
    const vf<A> v = count == w ? simd::load<A>(x + i) : simd::load_tail<A>(x + i, count);
    if (xsimd::all(simd::abs<A>(v) < limit)) [[likely]] {
      const vf<A> r = simd::sin_cos<A>(v, quadrant);
      if (count == w) {
        simd::store<A>(y + i, r);
      } else {
        simd::store_tail<A>(y + i, r, count);
      }
    } else {
      for (int64_t j = i; j < i + count; ++j) y[j] = quadrant ? std::cos(x[j]) : std::sin(x[j]);
    }
  }
}

template <Unary op>
using Named = std::integral_constant<Unary, op>;

// Loading has refused models with functions that the build lacks.
template <class A>
void unary(Unary op, const float* x, float* y, int64_t n, float a, float b) {
  using V = vf<A>;
  const V va(a), vb(b), zero(0.f), one(1.f);
  const auto run = [=]<Unary op>(Named<op>, auto f) {
    if constexpr (selection::has_function(op)) return simd::map<A>(x, y, n, f);
    __builtin_trap();
  };
  const auto scalar = [=]<Unary op>(Named<op>, auto f) {
    if constexpr (selection::has_function(op)) return map_scalar<A>(x, y, n, f);
    __builtin_trap();
  };
  const auto run_sine = [=]<Unary op>(Named<op>, int quadrant) {
    if constexpr (selection::has_function(op)) return sin_cos_run<A>(x, y, n, quadrant);
    __builtin_trap();
  };
  switch (op) {
    case Unary::Copy:
      if (x != y) run(Named<Unary::Copy>(), [](V v) { return v; });
      return;
    case Unary::Abs:
      return run(Named<Unary::Abs>(), [](V v) { return simd::abs<A>(v); });
    case Unary::Neg:
      return run(Named<Unary::Neg>(), [](V v) { return -v; });
    case Unary::Exp:
      return run(Named<Unary::Exp>(), [](V v) { return simd::exp<A>(v); });
    case Unary::Log:
      return run(Named<Unary::Log>(), [](V v) { return simd::log<A>(v); });
    case Unary::Sqrt:
      return run(Named<Unary::Sqrt>(), [](V v) { return simd::sqrt<A>(v); });
    case Unary::PowerOfHalf: {
      const V inf(std::numeric_limits<float>::infinity());
      return run(Named<Unary::PowerOfHalf>(),
                 [=](V v) { return simd::select<A>(v == -inf, inf, simd::sqrt<A>(v + zero)); });
    }
    case Unary::Rsqrt:
      return run(Named<Unary::Rsqrt>(), [=](V v) { return simd::divide<A>(one, simd::sqrt<A>(v)); });
    case Unary::Reciprocal:
      return run(Named<Unary::Reciprocal>(), [=](V v) { return simd::divide<A>(one, v); });
    case Unary::Square:
      return run(Named<Unary::Square>(), [](V v) { return v * v; });
    case Unary::Erf:
      return run(Named<Unary::Erf>(), [](V v) { return simd::erf<A>(v); });
    case Unary::Tanh:
      return run(Named<Unary::Tanh>(), [](V v) { return simd::tanh<A>(v); });
    case Unary::Sigmoid:
      return run(Named<Unary::Sigmoid>(), [](V v) { return simd::sigmoid<A>(v); });
    case Unary::Relu:
      return run(Named<Unary::Relu>(), [=](V v) { return simd::at_least<A>(v, zero); });
    case Unary::Clip:
      return run(Named<Unary::Clip>(), [=](V v) { return simd::clamp<A>(v, va, vb); });
    case Unary::LeakyRelu:
      return run(Named<Unary::LeakyRelu>(), [=](V v) { return simd::select<A>(v < zero, v * va, v); });
    case Unary::Elu:
      return run(Named<Unary::Elu>(), [=](V v) { return simd::select<A>(v < zero, va * simd::expm1<A>(v), v); });
    case Unary::Selu:
      return run(Named<Unary::Selu>(), [=](V v) { return vb * simd::select<A>(v < zero, va * simd::expm1<A>(v), v); });
    case Unary::Celu:
      return run(Named<Unary::Celu>(),
                 [=](V v) { return simd::select<A>(v < zero, va * simd::expm1<A>(simd::divide<A>(v, va)), v); });
    case Unary::Softplus:
      return run(Named<Unary::Softplus>(), [](V v) { return simd::softplus<A>(v); });
    case Unary::Softsign:
      return run(Named<Unary::Softsign>(), [=](V v) { return simd::divide<A>(v, one + simd::abs<A>(v)); });
    case Unary::HardSigmoid:
      return run(Named<Unary::HardSigmoid>(), [=](V v) { return simd::hard_sigmoid<A>(v, va, vb); });
    case Unary::HardSwish:
      return run(Named<Unary::HardSwish>(), [](V v) { return simd::hard_swish<A>(v); });
    case Unary::Silu:
      return run(Named<Unary::Silu>(), [](V v) { return simd::silu<A>(v); });
    case Unary::Gelu:
      return run(Named<Unary::Gelu>(), [](V v) { return simd::gelu<A>(v); });
    case Unary::GeluTanh:
      return run(Named<Unary::GeluTanh>(), [](V v) { return simd::gelu_tanh<A>(v); });
    case Unary::QuickGelu:
      return run(Named<Unary::QuickGelu>(), [=](V v) { return v * simd::sigmoid<A>(va * v); });
    case Unary::Mish:
      return run(Named<Unary::Mish>(), [](V v) { return v * simd::tanh<A>(simd::softplus<A>(v)); });
    case Unary::ThresholdedRelu:
      return run(Named<Unary::ThresholdedRelu>(), [=](V v) { return simd::select<A>(v <= va, zero, v); });
    case Unary::Shrink:
      return run(Named<Unary::Shrink>(), [=](V v) {
        return simd::select<A>(v < -va, v + vb, simd::select<A>(v > va, v - vb, simd::select<A>(v == v, zero, v)));
      });
    case Unary::Affine:
      return run(Named<Unary::Affine>(), [=](V v) { return simd::madd<A>(v, va, vb); });
    case Unary::Floor:
      return run(Named<Unary::Floor>(), [](V v) { return simd::floor<A>(v); });
    case Unary::Ceil:
      // Without an instruction for it, what is between -1 and 0 would become +0.
      return run(Named<Unary::Ceil>(), [](V v) { return xsimd::copysign(simd::ceil<A>(v), v); });
    case Unary::Round:
      return run(Named<Unary::Round>(), [](V v) { return simd::round_even<A>(v); });
    case Unary::Sign:
      return run(Named<Unary::Sign>(),
                 [=](V v) { return simd::select<A>(v > zero, one, simd::select<A>(v < zero, -one, v)); });
    case Unary::Sin:
      return run_sine(Named<Unary::Sin>(), 0);
    case Unary::Cos:
      return run_sine(Named<Unary::Cos>(), 1);
    case Unary::Tan:
      return scalar(Named<Unary::Tan>(), [](float v) { return std::tan(v); });
    case Unary::Asin:
      return scalar(Named<Unary::Asin>(), [](float v) { return std::asin(v); });
    case Unary::Acos:
      return scalar(Named<Unary::Acos>(), [](float v) { return std::acos(v); });
    case Unary::Atan:
      return scalar(Named<Unary::Atan>(), [](float v) { return std::atan(v); });
    case Unary::Sinh:
      return scalar(Named<Unary::Sinh>(), [](float v) { return std::sinh(v); });
    case Unary::Cosh:
      return scalar(Named<Unary::Cosh>(), [](float v) { return std::cosh(v); });
    case Unary::Asinh:
      return scalar(Named<Unary::Asinh>(), [](float v) { return std::asinh(v); });
    case Unary::Acosh:
      return scalar(Named<Unary::Acosh>(), [](float v) { return std::acosh(v); });
    case Unary::Atanh:
      return scalar(Named<Unary::Atanh>(), [](float v) { return std::atanh(v); });
  }
}

// z[i] = f(x[i], y[i]); an operand is a run or one value for all.
template <class A, class X, class Y, class F>
void zip(X x, Y y, float* z, int64_t n, F f) {
  constexpr int64_t w = simd::lanes<A>;
  const auto full = [](auto p, int64_t i) {
    if constexpr (std::is_pointer_v<decltype(p)>) {
      return simd::load<A>(p + i);
    } else {
      return vf<A>(p);
    }
  };
  const auto tail = [](auto p, int64_t i, int64_t count) {
    if constexpr (std::is_pointer_v<decltype(p)>) {
      return simd::load_tail<A>(p + i, count);
    } else {
      return vf<A>(p);
    }
  };
  int64_t i = 0;
  for (; i + w <= n; i += w) simd::store<A>(z + i, vf<A>(f(full(x, i), full(y, i))));
  if (i < n) simd::store_tail<A>(z + i, vf<A>(f(tail(x, i, n - i), tail(y, i, n - i))), n - i);
}

template <class A, class X, class Y>
void binary(Binary op, X x, Y y, float* z, int64_t n) {
  using V = vf<A>;
  switch (op) {
    case Binary::Add:
      return zip<A>(x, y, z, n, [](V a, V b) { return a + b; });
    case Binary::Sub:
      return zip<A>(x, y, z, n, [](V a, V b) { return a - b; });
    case Binary::Mul:
      return zip<A>(x, y, z, n, [](V a, V b) { return a * b; });
    case Binary::Div:
      return zip<A>(x, y, z, n, [](V a, V b) { return simd::divide<A>(a, b); });
    case Binary::Min:
      return zip<A>(x, y, z, n, [](V a, V b) { return simd::select<A>(b == b, simd::at_most<A>(a, b), b); });
    case Binary::Max:
      return zip<A>(x, y, z, n, [](V a, V b) { return simd::select<A>(b == b, simd::at_least<A>(a, b), b); });
    case Binary::Prelu:
      return zip<A>(x, y, z, n, [](V a, V b) { return simd::select<A>(a < V(0.f), a * b, a); });
    case Binary::SquaredDifference:
      return zip<A>(x, y, z, n, [](V a, V b) { return (a - b) * (a - b); });
    case Binary::Pow: {
      const auto at = [](auto p, int64_t i) {
        if constexpr (std::is_pointer_v<decltype(p)>) {
          return p[i];
        } else {
          return p;
        }
      };
      if constexpr (!std::is_pointer_v<Y> && std::is_pointer_v<X>) {
        if (y == 2.f) return unary<A>(Unary::Square, x, z, n, 0, 0);
        if (y == 3.f) return simd::map<A>(x, z, n, [](V v) { return v * v * v; });
        if (y == 1.f) return unary<A>(Unary::Copy, x, z, n, 0, 0);
        if (y == -1.f) return unary<A>(Unary::Reciprocal, x, z, n, 0, 0);
      }
      for (int64_t i = 0; i < n; ++i) z[i] = std::pow(at(x, i), at(y, i));
      return;
    }
  }
}

template <class A>
void binary_vv(Binary op, const float* x, const float* y, float* z, int64_t n) {
  binary<A>(op, x, y, z, n);
}
template <class A>
void binary_vs(Binary op, const float* x, float y, float* z, int64_t n) {
  binary<A>(op, x, y, z, n);
}
template <class A>
void binary_sv(Binary op, float x, const float* y, float* z, int64_t n) {
  binary<A>(op, x, y, z, n);
}

template <class A>
void multiply_add(const float* x, const float* y, const float* w, float* z, int64_t n) {
  constexpr int64_t v = simd::lanes<A>;
  int64_t i = 0;
  for (; i + v <= n; i += v) {
    simd::store<A>(z + i, simd::madd<A>(simd::load<A>(x + i), simd::load<A>(y + i), simd::load<A>(w + i)));
  }
  if (i < n) {
    const int64_t rest = n - i;
    const vf<A> r = simd::madd<A>(simd::load_tail<A>(x + i, rest), simd::load_tail<A>(y + i, rest),
                                  simd::load_tail<A>(w + i, rest));
    simd::store_tail<A>(z + i, r, rest);
  }
}

template <class A>
void row_affine(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* y, const float* w, float* z,
                int64_t ldz) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* xr = x + r * ldx;
    float* zr = z + r * ldz;
    if (y && w) {
      multiply_add<A>(xr, y, w, zr, n);
    } else if (y) {
      binary_vv<A>(Binary::Mul, xr, y, zr, n);
    } else if (w) {
      binary_vv<A>(Binary::Add, xr, w, zr, n);
    } else {
      unary<A>(Unary::Copy, xr, zr, n, 0, 0);
    }
  }
}

template <class A>
void normalize(const float* x, float* y, int64_t n, float center, float factor, float offset) {
  const vf<A> c(center), f(factor), o(offset);
  simd::map<A>(x, y, n, [=](vf<A> v) { return simd::madd<A>(v - c, f, o); });
}

template <class A>
void row_normalize(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* center, const float* factor,
                   const float* offset, float* y, int64_t ldy) {
  constexpr int64_t w = simd::lanes<A>;
  for (int64_t r = 0; r < rows; ++r, x += ldx, y += ldy) {
    int64_t i = 0;
    for (; i + w <= n; i += w) {
      const vf<A> v = simd::load<A>(x + i) - simd::load<A>(center + i);
      simd::store<A>(y + i, simd::madd<A>(v, simd::load<A>(factor + i), simd::load<A>(offset + i)));
    }
    if (i < n) {
      const int64_t rest = n - i;
      const vf<A> v = simd::load_tail<A>(x + i, rest) - simd::load_tail<A>(center + i, rest);
      const vf<A> t = simd::madd<A>(v, simd::load_tail<A>(factor + i, rest), simd::load_tail<A>(offset + i, rest));
      simd::store_tail<A>(y + i, t, rest);
    }
  }
}

template <class A>
constexpr ElementwiseKernels elementwise_kernels() {
  return {
      .unary = unary<A>,
      .binary = binary_vv<A>,
      .binary_vs = binary_vs<A>,
      .binary_sv = binary_sv<A>,
      .multiply_add = multiply_add<A>,
      .row_affine = row_affine<A>,
      .normalize = normalize<A>,
      .row_normalize = row_normalize<A>,
  };
}

}  // namespace nm::impl
