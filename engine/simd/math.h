// Elementary functions on batches. The coefficients are minimax fits made for this file: weighted least squares with
// Lawson's reweighting, relative error of the fit in brackets. Errors in ulp are the largest seen by
// tests/kernels/math_test.cpp against double precision. Results below 2^-126 are flushed to zero; infinities and NaN
// behave as in <cmath>.
#pragma once
#include <cmath>
#include <limits>

#include "engine/simd/simd.h"

namespace nm::simd {

namespace detail {
template <class A, int N>
inline vf<A> horner(vf<A> x, const float (&c)[N]) {
  vf<A> r = constant_at<A>(&c[N - 1]);
#pragma GCC unroll 8
  for (int i = N - 2; i >= 0; --i) r = madd<A>(r, x, constant_at<A>(&c[i]));
  return r;
}
}  // namespace detail

// Where e^x is a normal number.
inline constexpr float exp_low = -87.3365448f, exp_high = 88.7228394f;

// e^x for exp_low <= x <= exp_high. x = n·ln 2 + r, |r| <= ln2/2; e^r by a polynomial [3e-9]. At most 1.5 ulp.
template <class A>
inline vf<A> exp_normal(vf<A> x) {
  constexpr float log2e = 1.44269504f, ln2_high = 0.693145751953125f, ln2_low = 1.42860682e-6f;
  constexpr float shift = 12582912.f;  // 1.5·2^23: adding it rounds to an integer
  static constexpr float q[] = {0.5000000095f, 0.166665186f, 0.04166620508f, 0.00836891795f, 0.001395053969f};
  const vf<A> t = madd<A>(x, constant<A, log2e>(), constant<A, shift>());
  const vf<A> n = t - constant<A, shift>();
  const vf<A> r = nmadd<A>(n, constant<A, ln2_low>(), nmadd<A>(n, constant<A, ln2_high>(), x));
  const vf<A> p = madd<A>(r * r, detail::horner<A>(r, q), r) + constant<A, 1.f>();
  // The exponent is added in integers: 2^128 alone would be infinite although p·2^128 is not.
  return from_bits<A>(bits<A>(p) + (bits<A>(t) << 23));
}

// e^x.
template <class A>
inline vf<A> exp(vf<A> x) {
  const vf<A> y = exp_normal<A>(clamp<A>(x, constant<A, exp_low>(), constant<A, exp_high>()));
  const vf<A> flushed = select<A>(x < constant<A, exp_low>(), vf<A>(0.f), y);
  return select<A>(x <= constant<A, exp_high>(), flushed, x + constant<A, std::numeric_limits<float>::infinity()>());
}

// Natural logarithm. x = 2^n·m, m in [√½, √2); log m = 2·atanh(s), s = (m-1)/(m+1) [5e-12]. At most 1.5 ulp;
// subnormal x counts as zero.
template <class A>
inline vf<A> log(vf<A> x) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  static constexpr float p[] = {0.6666666562f, 0.400003409f, 0.2853691939f, 0.2358998973f};
  const vi<A> ix = bits<A>(x) - vi<A>(0x3f3504f3);  // bits of √½
  const vi<A> exponent = ix >> 23;
  const vf<A> m = from_bits<A>((ix & vi<A>(0x007fffff)) + vi<A>(0x3f3504f3));
  const vf<A> n = xsimd::to_float(exponent);
  const vf<A> f = m - constant<A, 1.f>();
  const vf<A> s = divide<A>(f, constant<A, 2.f>() + f);
  const vf<A> z = s * s;
  const vf<A> half = constant<A, 0.5f>() * f * f;
  const vf<A> tail = madd<A>(n, constant<A, 1.42860682e-6f>(), s * madd<A>(z, detail::horner<A>(z, p), half));
  const vf<A> y = madd<A>(n, constant<A, 0.693145751953125f>(), f - (half - tail));
  const vf<A> finite = select<A>(x < constant<A, inf>(), y, x);  // also NaN
  const vf<A> positive = select<A>(x < constant<A, 1.17549435e-38f>(), constant<A, -inf>(), finite);
  return select<A>(x < vf<A>(0.f), vf<A>(std::numeric_limits<float>::quiet_NaN()), positive);
}

// ±1 where |x| reaches the bound past which a sigmoidal function rounds to it, otherwise y, kept within ±1.
template <class A>
inline vf<A> saturate(vf<A> x, vf<A> y, vf<A> bound) {
  const vf<A> one = constant<A, 1.f>();
  return select<A>(abs<A>(x) >= bound, xsimd::copysign(one, x), clamp<A>(y, -one, one));
}

// Odd rational function [2e-8]: x·P(x²)/Q(x²). At most 6 ulp.
template <class A>
inline vf<A> tanh(vf<A> x) {
  static constexpr float p[] = {0.9999999772f, 0.1337447524f, 0.003487811081f, 2.048118568e-05f, 1.31775176e-08f};
  static constexpr float q[] = {1.0f, 0.4670778902f, 0.02584738879f, 0.0003272920176f, 7.704044895e-07f};
  constexpr float bound = 9.02f;
  const vf<A> c = clamp<A>(x, constant<A, -bound>(), constant<A, bound>());
  const vf<A> z = c * c;
  const vf<A> y = divide<A>(c * detail::horner<A>(z, p), detail::horner<A>(z, q));
  return saturate<A>(x, y, constant<A, bound>());
}

namespace detail {
// y/(1 + e^-x), y·0 where e^-x is too large for a normal quotient.
template <class A>
inline vf<A> over_one_plus_exp(vf<A> x, vf<A> y) {
  const vf<A> e = exp_normal<A>(clamp<A>(-x, constant<A, exp_low>(), constant<A, -exp_low>()));
  return select<A>(x < constant<A, exp_low>(), y * vf<A>(0.f), divide<A>(y, constant<A, 1.f>() + e));
}
}  // namespace detail

// 1/(1 + e^-x). At most 3 ulp.
template <class A>
inline vf<A> sigmoid(vf<A> x) {
  return detail::over_one_plus_exp<A>(x, constant<A, 1.f>());
}

// Odd rational function [3e-8]. At most 6 ulp.
template <class A>
inline vf<A> erf(vf<A> x) {
  static constexpr float p[] = {1.128379139f,    0.1935455927f,    0.0531018106f,
                                0.003883365835f, 0.0002845662587f, 1.986776329e-06f};
  static constexpr float q[] = {1.0f, 0.504857871f, 0.1153502147f, 0.01520729417f, 0.001185576231f, 3.742013156e-05f};
  constexpr float bound = 3.95f;
  const vf<A> c = clamp<A>(x, constant<A, -bound>(), constant<A, bound>());
  const vf<A> z = c * c;
  const vf<A> y = divide<A>(c * detail::horner<A>(z, p), detail::horner<A>(z, q));
  return saturate<A>(x, y, constant<A, bound>());
}

// ln(1 + x) for x >= 0, as softplus needs it: log(u)·x/(u-1) with u = 1 + x rounded repairs the rounding of u.
template <class A>
inline vf<A> log1p_positive(vf<A> x) {
  const vf<A> u = constant<A, 1.f>() + x;
  const vf<A> d = u - constant<A, 1.f>();
  const vf<A> y = log<A>(u) * divide<A>(x, d);
  const vf<A> finite = select<A>(u < constant<A, std::numeric_limits<float>::infinity()>(), y, u);
  return select<A>(d == vf<A>(0.f), x, finite);
}

// ln(1 + e^x) without overflow.
template <class A>
inline vf<A> softplus(vf<A> x) {
  const vf<A> y = at_least<A>(x, vf<A>(0.f)) + log1p_positive<A>(exp<A>(-abs<A>(x)));
  return select<A>(x == x, y, x);
}

// e^x - 1 where x <= 0 matters near zero: a polynomial there, exp elsewhere.
template <class A>
inline vf<A> expm1(vf<A> x) {
  static constexpr float p[] = {0.5f, 0.166666667f, 0.0416666667f, 0.00833333333f, 0.00138888889f, 0.000198412698f};
  const vf<A> small = madd<A>(x * x, detail::horner<A>(x, p), x);
  return select<A>(abs<A>(x) < constant<A, 0.5f>(), small, exp<A>(x) - constant<A, 1.f>());
}

template <class A>
inline vf<A> silu(vf<A> x) {
  return detail::over_one_plus_exp<A>(x, x);
}
template <class A>
inline vf<A> hard_sigmoid(vf<A> x, vf<A> alpha, vf<A> beta) {
  return clamp<A>(madd<A>(x, alpha, beta), vf<A>(0.f), constant<A, 1.f>());
}
template <class A>
inline vf<A> hard_swish(vf<A> x) {
  return x * hard_sigmoid<A>(x, constant<A, 1.f / 6>(), constant<A, 0.5f>());
}
template <class A>
inline vf<A> gelu(vf<A> x) {
  return constant<A, 0.5f>() * x * (constant<A, 1.f>() + erf<A>(x * constant<A, 0.70710678f>()));
}
template <class A>
inline vf<A> gelu_tanh(vf<A> x) {
  const vf<A> inner = x * madd<A>(x * x, constant<A, 0.7978845608f * 0.044715f>(), constant<A, 0.7978845608f>());
  return constant<A, 0.5f>() * x * (constant<A, 1.f>() + tanh<A>(inner));
}

// Sine (quadrant offset 0) and cosine (1): x - n·π/2 in three parts, then the sine [5e-12] or cosine [1e-10] series.
// Valid for |x| < 8192; the caller sends larger ones elsewhere.
inline constexpr float sin_cos_limit = 8192.f;
template <class A>
inline vf<A> sin_cos(vf<A> x, int quadrant) {
  static constexpr float s[] = {-0.1666666664f, 0.008333329144f, -0.0001983925664f, 2.717564501e-06f};
  static constexpr float c[] = {0.04166664565f, -0.001388730602f, 2.443120278e-05f};
  constexpr float shift = 12582912.f;
  const vf<A> t = madd<A>(x, constant<A, 0.636619772f>(), constant<A, shift>());
  const vf<A> n = t - constant<A, shift>();
  vf<A> r = nmadd<A>(n, constant<A, 1.5703125f>(), x);
  r = nmadd<A>(n, constant<A, 4.837512969970703e-4f>(), r);
  r = nmadd<A>(n, constant<A, 7.549533620476723e-8f>(), r);
  r = nmadd<A>(n, constant<A, 2.5633442e-12f>(), r);
  const vi<A> k = bits<A>(t) + vi<A>(quadrant);
  const vf<A> z = r * r;
  const vf<A> sine = madd<A>(r * z, detail::horner<A>(z, s), r);
  const vf<A> cosine = madd<A>(z * z, detail::horner<A>(z, c), nmadd<A>(z, constant<A, 0.5f>(), constant<A, 1.f>()));
  const vi<A> odd = -(k & vi<A>(1));  // all ones where the cosine series serves
  const vi<A> value = (bits<A>(cosine) & odd) | (bits<A>(sine) & ~odd);
  return from_bits<A>(value ^ ((k & vi<A>(2)) << 30));
}

}  // namespace nm::simd
