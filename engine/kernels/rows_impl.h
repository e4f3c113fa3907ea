#pragma once
#include <cmath>
#include <limits>

#include "engine/kernels/elementwise_impl.h"
#include "engine/kernels/integers.h"
#include "engine/kernels/long_sum.h"
#include "engine/kernels/rows.h"

namespace nm::impl {

// Folds n floats into one: four independent chains hide latency; `merge` joins lanes' partial results. Lanes past the
// end see `neutral`.
template <class A, class Fold, class Merge>
vf<A> fold_row(const float* x, int64_t n, float neutral, float fill, Fold fold, Merge merge) {
  constexpr int64_t w = simd::lanes<A>;
  vf<A> a(neutral), b(neutral), c(neutral), d(neutral);
  int64_t i = 0;
  for (; i + 4 * w <= n; i += 4 * w) {
    a = fold(a, simd::load<A>(x + i));
    b = fold(b, simd::load<A>(x + i + w));
    c = fold(c, simd::load<A>(x + i + 2 * w));
    d = fold(d, simd::load<A>(x + i + 3 * w));
  }
  for (; i + w <= n; i += w) a = fold(a, simd::load<A>(x + i));
  if (i < n) b = fold(b, simd::keep_first<A>(simd::load_tail<A>(x + i, n - i), n - i, fill));
  return merge(merge(a, b), merge(c, d));
}

// The same for sums, which may be long.
template <class A, class Fold>
vf<A> sum_row(const float* x, int64_t n, float fill, Fold fold) {
  const auto add = [](vf<A> a, vf<A> b) { return a + b; };
  constexpr int64_t block = 4 * kChain * simd::lanes<A>;
  if (n <= block) return fold_row<A>(x, n, 0.f, fill, fold, add);
  LongSum<A> sum;
  for (int64_t i = 0; i < n; i += block) {
    sum.add(fold_row<A>(x + i, lesser(block, n - i), 0.f, fill, fold, add));
  }
  return sum.value();
}

template <class A>
vf<A> nan_max(vf<A> best, vf<A> v) {
  return simd::select<A>(v == v, simd::at_least<A>(best, v), v);
}
template <class A>
vf<A> nan_min(vf<A> best, vf<A> v) {
  return simd::select<A>(v == v, simd::at_most<A>(best, v), v);
}

template <class A>
float row_max(const float* x, int64_t n) {
  constexpr float low = -std::numeric_limits<float>::infinity();
  return simd::maximum<A>(fold_row<A>(x, n, low, low, nan_max<A>, nan_max<A>));
}
template <class A>
float row_sum(const float* x, int64_t n) {
  return simd::sum<A>(sum_row<A>(x, n, 0.f, [](vf<A> a, vf<A> v) { return a + v; }));
}

// y = e^(x - top); returns the sum. y may be x; it is not touched unless Stored.
template <class A, bool Stored>
vf<A> exp_block(const float* x, vf<A> vt, float* y, int64_t n) {
  constexpr int64_t w = simd::lanes<A>;
  vf<A> a(0.f), b(0.f);
  int64_t i = 0;
  for (; i + 2 * w <= n; i += 2 * w) {
    const vf<A> p = simd::exp<A>(simd::load<A>(x + i) - vt), q = simd::exp<A>(simd::load<A>(x + i + w) - vt);
    if constexpr (Stored) {
      simd::store<A>(y + i, p);
      simd::store<A>(y + i + w, q);
    }
    a = a + p;
    b = b + q;
  }
  for (; i < n; i += w) {
    const int64_t count = lesser(w, n - i);
    const vf<A> p = simd::exp<A>(simd::load_up_to<A>(x + i, count) - vt);
    if constexpr (Stored) simd::store_up_to<A>(y + i, p, count);
    a = a + simd::keep_first<A>(p, count, 0.f);
  }
  return a + b;
}
template <class A, bool Stored>
float exp_row(const float* x, float top, float* y, int64_t n) {
  constexpr int64_t block = 2 * kChain * simd::lanes<A>;
  const vf<A> vt(top);
  if (n <= block) return simd::sum<A>(exp_block<A, Stored>(x, vt, y, n));
  LongSum<A> sum;
  for (int64_t i = 0; i < n; i += block) {
    sum.add(exp_block<A, Stored>(x + i, vt, Stored ? y + i : nullptr, lesser(block, n - i)));
  }
  return simd::sum<A>(sum.value());
}

template <class A>
void scale_row(float* y, int64_t n, float factor) {
  binary_vs<A>(Binary::Mul, y, factor, y, n);
}

// A row all of -infinity has no largest element to subtract; ONNX leaves NaN there.
template <class A>
void softmax(int64_t rows, int64_t n, const float* x, int64_t ldx, float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* xr = x + r * ldx;
    float* yr = y + r * ldy;
    const float total = exp_row<A, true>(xr, row_max<A>(xr, n), yr, n);
    scale_row<A>(yr, n, 1.f / total);
  }
}

template <class A>
void log_softmax(int64_t rows, int64_t n, const float* x, int64_t ldx, float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* xr = x + r * ldx;
    const float top = row_max<A>(xr, n);
    const float total = exp_row<A, false>(xr, top, nullptr, n);
    const vf<A> vt(top), log_total(std::log(total));
    simd::map<A>(xr, y + r * ldy, n, [=](vf<A> v) { return v - vt - log_total; });
  }
}

// [n, inner] with lanes across inner.
template <class A, bool Log>
void softmax_plane(int64_t n, int64_t inner, const float* x, float* y) {
  constexpr int64_t w = simd::lanes<A>;
  for (int64_t c = 0; c < inner; c += w) {
    const int64_t count = lesser(w, inner - c);
    const auto read = [=](const float* p) { return simd::load_up_to<A>(p, count); };
    vf<A> top(-std::numeric_limits<float>::infinity());
    LongSum<A> total;
    for (int64_t i = 0; i < n; ++i) top = nan_max<A>(top, read(x + i * inner + c));
    for (int64_t i = 0; i < n; ++i) {
      const vf<A> e = simd::exp<A>(read(x + i * inner + c) - top);
      if constexpr (!Log) simd::store_up_to<A>(y + i * inner + c, e, count);
      total.add(e);
    }
    const vf<A> last = Log ? simd::log<A>(total.value()) + top : simd::divide<A>(vf<A>(1.f), total.value());
    for (int64_t i = 0; i < n; ++i) {
      float* out = y + i * inner + c;
      const vf<A> v = Log ? read(x + i * inner + c) - last : read(out) * last;
      simd::store_up_to<A>(out, v, count);
    }
  }
}
template <class A>
void softmax_strided(int64_t outer, int64_t n, int64_t inner, const float* x, float* y) {
  for (int64_t o = 0; o < outer; ++o) softmax_plane<A, false>(n, inner, x + o * n * inner, y + o * n * inner);
}
template <class A>
void log_softmax_strided(int64_t outer, int64_t n, int64_t inner, const float* x, float* y) {
  for (int64_t o = 0; o < outer; ++o) softmax_plane<A, true>(n, inner, x + o * n * inner, y + o * n * inner);
}

// A variance that is so small beside the mean's square may be nothing but the mean's own rounding.
inline constexpr float kRounding = 1e-11f;

// Two passes over a row that is in L1 after the first: exact about the mean, unlike a sum of squares. A third one takes
// the mean's rounding out where that matters.
template <class A>
void row_moments(const float* x, int64_t n, float* mean, float* variance) {
  const float m = row_sum<A>(x, n) / static_cast<float>(n);
  const vf<A> vm(m);
  const float squares = simd::sum<A>(sum_row<A>(x, n, m, [=](vf<A> a, vf<A> v) {
    const vf<A> d = v - vm;
    return simd::madd<A>(d, d, a);
  }));
  *mean = m;
  *variance = squares / static_cast<float>(n);
  if (!(*variance < kRounding * m * m)) return;
  const float rest = simd::sum<A>(sum_row<A>(x, n, m, [=](vf<A> a, vf<A> v) { return a + (v - vm); }));
  const float shift = rest / static_cast<float>(n);
  *mean = m + shift;
  *variance = *variance > shift * shift ? *variance - shift * shift : 0.f;
}

// y = (x - mean)·factor·scale + bias, of which those are left out that are not there. Nothing is asked in the loop:
// in SpiderMonkey each question about `scale` and `bias` costs as much as the arithmetic.
template <class A, bool Scaled, bool Shifted>
void normalize_row(const float* x, int64_t n, float mean, float factor, const float* scale, const float* bias,
                   float* y) {
  constexpr int64_t w = simd::lanes<A>;
  const vf<A> vm(mean), vi(factor);
  const auto value = [=](int64_t i, auto read) {
    vf<A> t = (read(x + i) - vm) * vi;
    if constexpr (Scaled) t = t * read(scale + i);
    if constexpr (Shifted) t = t + read(bias + i);
    return t;
  };
  int64_t i = 0;
  for (; i + w <= n; i += w) simd::store<A>(y + i, value(i, [](const float* p) { return simd::load<A>(p); }));
  const int64_t rest = n - i;
  if (rest == 0) return;
  simd::store_up_to<A>(y + i, value(i, [=](const float* p) { return simd::load_up_to<A>(p, rest); }), rest);
}

template <class A>
auto normalize_row_with(const float* scale, const float* bias) {
  if (bias) return scale ? normalize_row<A, true, true> : normalize_row<A, false, true>;
  return scale ? normalize_row<A, true, false> : normalize_row<A, false, false>;
}

template <class A>
void layer_norm(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* scale, const float* bias,
                float epsilon, float* y, int64_t ldy, float* mean, float* inv_std) {
  const auto normalize = normalize_row_with<A>(scale, bias);
  for (int64_t r = 0; r < rows; ++r) {
    float m, v;
    row_moments<A>(x + r * ldx, n, &m, &v);
    const float inv = 1.f / std::sqrt(v + epsilon);
    if (mean) mean[r] = m;
    if (inv_std) inv_std[r] = inv;
    normalize(x + r * ldx, n, m, inv, scale, bias, y + r * ldy);
  }
}

template <class A>
void rms_norm(int64_t rows, int64_t n, const float* x, int64_t ldx, const float* scale, float epsilon, float* y,
              int64_t ldy, float* inv_rms) {
  const auto normalize = normalize_row_with<A>(scale, nullptr);
  for (int64_t r = 0; r < rows; ++r) {
    const float* xr = x + r * ldx;
    const float squares = simd::sum<A>(sum_row<A>(xr, n, 0.f, [](vf<A> a, vf<A> v) { return simd::madd<A>(v, v, a); }));
    const float inv = 1.f / std::sqrt(squares / static_cast<float>(n) + epsilon);
    if (inv_rms) inv_rms[r] = inv;
    normalize(xr, n, 0.f, inv, scale, nullptr, y + r * ldy);
  }
}

template <class A>
void mean_variance(int64_t rows, int64_t n, const float* x, int64_t ldx, float* mean, float* variance) {
  for (int64_t r = 0; r < rows; ++r) row_moments<A>(x + r * ldx, n, mean + r, variance + r);
}

// Rows in blocks that stay in L1 while every vector of columns is folded over them: a walk down one vector of a wide
// image would touch each of its cache lines again for every vector in it.
template <class F>
void for_row_blocks(int64_t rows, int64_t n, F body) {
  const int64_t step = greater(8, lesser(2 * kChain, 4096 / greater(n, 1)));
  for (int64_t r = 0; r < rows; r += step) body(r, lesser(rows, r + step));
}

// Moments of each block, merged with those before by the formulas of Chan, Golub and LeVeque (1979).
template <class A>
void column_mean_variance(int64_t rows, int64_t n, const float* x, int64_t ldx, float* mean, float* variance) {
  constexpr int64_t w = simd::lanes<A>;
  const auto block = [&](int64_t begin, int64_t end) {
    const auto count = static_cast<float>(end - begin), before = static_cast<float>(begin);
    const vf<A> inv(1.f / count), share(count / (before + count)), spread(before * count / (before + count));
    const bool last = end == rows;
    const vf<A> inv_rows(1.f / static_cast<float>(rows));
    const auto column = [&](int64_t c, int64_t lanes_used) __attribute__((always_inline)) {
      const auto fold = [&](auto f) __attribute__((always_inline)) {
        vf<A> even(0.f), odd(0.f);
        const float* p = x + begin * ldx + c;
        int64_t r = begin;
        for (; r + 2 <= end; r += 2, p += 2 * ldx) {
          even = even + f(simd::load_up_to<A>(p, lanes_used));
          odd = odd + f(simd::load_up_to<A>(p + ldx, lanes_used));
        }
        if (r < end) even = even + f(simd::load_up_to<A>(p, lanes_used));
        return even + odd;
      };
      vf<A> m = fold([](vf<A> v) { return v; }) * inv;
      const auto squares_about = [&](vf<A> mean_of) __attribute__((always_inline)) {
        return fold([=](vf<A> v) { return (v - mean_of) * (v - mean_of); });
      };
      vf<A> squares = squares_about(m);
      if (xsimd::any(squares < m * m * vf<A>(kRounding * count))) {
        m = m + fold([=](vf<A> v) { return v - m; }) * inv;
        squares = squares_about(m);
      }
      if (begin > 0) {
        const vf<A> m0 = simd::load_up_to<A>(mean + c, lanes_used), d = m - m0;
        squares = squares + simd::load_up_to<A>(variance + c, lanes_used) + d * d * spread;
        m = m0 + d * share;
      }
      simd::store_up_to<A>(mean + c, m, lanes_used);
      simd::store_up_to<A>(variance + c, last ? squares * inv_rows : squares, lanes_used);
    };
    int64_t c = 0;
    for (; c + w <= n; c += w) column(c, w);
    if (c < n) column(c, n - c);
  };
  for_row_blocks(rows, n, block);
}

// Calls body(neutral, fold, merge, whether it is a sum) with the folds of all but LogSumExp and Prod.
template <class A, class F>
void with_fold(Reduce op, F body) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const auto add = [](vf<A> a, vf<A> v) { return a + v; };
  switch (op) {
    case Reduce::Sum:
    case Reduce::Mean:
    case Reduce::LogSum:
      return body(0.f, add, add, std::true_type());
    case Reduce::SumSquare:
    case Reduce::L2:
      return body(
          0.f, [](vf<A> a, vf<A> v) { return simd::madd<A>(v, v, a); }, add, std::true_type());
    case Reduce::L1:
      return body(
          0.f, [](vf<A> a, vf<A> v) { return a + simd::abs<A>(v); }, add, std::true_type());
    case Reduce::Max:
      return body(-inf, nan_max<A>, nan_max<A>, std::false_type());
    case Reduce::Min:
      return body(inf, nan_min<A>, nan_min<A>, std::false_type());
    case Reduce::Prod:
    case Reduce::LogSumExp:
      return;
  }
}

// In double, with the exponent kept aside where it leaves the middle of the range: no product on the way overflows or
// vanishes, so the order does not matter.
template <class A>
float product(int64_t n, const float* x, int64_t stride) {
  double mantissa = 1;
  int64_t exponent = 0;
  const auto split = [&] {
    int e = 0;
    mantissa = std::frexp(mantissa, &e);
    exponent += e;
  };
  for (int64_t i = 0; i < n; ++i) {
    mantissa *= static_cast<double>(x[i * stride]);
    const double size = std::fabs(mantissa);
    if (!(size > 0x1p-500 && size < 0x1p500)) split();
  }
  split();
  const int64_t end = 4096;  // beyond what a double has
  const int64_t within = exponent < -end ? -end : lesser(exponent, end);
  return static_cast<float>(std::ldexp(mantissa, static_cast<int>(within)));
}

template <class A>
float reduce_end(Reduce op, float v, int64_t n) {
  switch (op) {
    case Reduce::Mean:
      return v / static_cast<float>(n);
    case Reduce::L2:
      return std::sqrt(v);
    case Reduce::LogSum:
      return std::log(v);
    default:
      return v;
  }
}

template <class A>
float reduce_lanes(Reduce op, vf<A> v) {
  if (op == Reduce::Max) return simd::maximum<A>(v);
  if (op == Reduce::Min) return simd::minimum<A>(v);
  return simd::sum<A>(v);
}

template <class A>
void reduce(Reduce op, int64_t rows, int64_t n, const float* x, int64_t ldx, float* y) {
  if (op == Reduce::LogSumExp) {
    for (int64_t r = 0; r < rows; ++r) {
      const float* xr = x + r * ldx;
      const float top = row_max<A>(xr, n);
      // An infinite largest element is the result itself; subtracting it would give NaN.
      y[r] = std::isinf(top) ? top : std::log(exp_row<A, false>(xr, top, nullptr, n)) + top;
    }
    return;
  }
  if (op == Reduce::Prod) {
    for (int64_t r = 0; r < rows; ++r) y[r] = product<A>(n, x + r * ldx, 1);
    return;
  }
  with_fold<A>(op, [&](float neutral, auto fold, auto merge, auto is_sum) {
    for (int64_t r = 0; r < rows; ++r) {
      vf<A> v;
      if constexpr (is_sum.value) {
        v = sum_row<A>(x + r * ldx, n, neutral, fold);
      } else {
        v = fold_row<A>(x + r * ldx, n, neutral, neutral, fold, merge);
      }
      y[r] = reduce_end<A>(op, reduce_lanes<A>(op, v), n);
    }
  });
}

template <class A>
void log_sum_exp_columns(int64_t rows, int64_t n, const float* x, int64_t ldx, float* y) {
  constexpr int64_t w = simd::lanes<A>;
  for (int64_t c = 0; c < n; c += w) {
    const int64_t count = lesser(w, n - c);
    const auto read = [=](int64_t r) { return simd::load_up_to<A>(x + r * ldx + c, count); };
    vf<A> top(-std::numeric_limits<float>::infinity());
    LongSum<A> total;
    for (int64_t r = 0; r < rows; ++r) top = nan_max<A>(top, read(r));
    for (int64_t r = 0; r < rows; ++r) total.add(simd::exp<A>(read(r) - top));
    const vf<A> value = simd::select<A>(simd::abs<A>(top) < vf<A>(std::numeric_limits<float>::infinity()),
                                        simd::log<A>(total.value()) + top, top);
    simd::store_up_to<A>(y + c, value, count);
  }
}

template <class A>
void reduce_columns(Reduce op, int64_t rows, int64_t n, const float* x, int64_t ldx, float* y) {
  constexpr int64_t w = simd::lanes<A>;
  if (op == Reduce::LogSumExp) return log_sum_exp_columns<A>(rows, n, x, ldx, y);
  if (op == Reduce::Prod) {
    for (int64_t c = 0; c < n; ++c) y[c] = product<A>(rows, x + c, ldx);
    return;
  }
  with_fold<A>(op, [&](float neutral, auto fold, auto merge, auto is_sum) {
    constexpr int64_t strip = 1024;  // of columns, for which there is room to keep what sums lose
    LongSum<A> sums[is_sum.value ? strip / w : 1];
    for (int64_t c = 0; c < n; ++c) y[c] = neutral;
    for (int64_t c0 = 0; c0 < n; c0 += strip) {
      const int64_t c1 = lesser(n, c0 + strip);
      for (LongSum<A>& s : sums) s = LongSum<A>();
      for_row_blocks(rows, c1 - c0, [&](int64_t begin, int64_t end) {
        const auto column = [&](int64_t c, int64_t count) __attribute__((always_inline)) {
          vf<A> part(neutral);
          const float* p = x + begin * ldx + c;
          for (int64_t r = begin; r < end; ++r, p += ldx) part = fold(part, simd::load_up_to<A>(p, count));
          if constexpr (is_sum.value) {
            LongSum<A>& sum = sums[(c - c0) / w];
            sum.add(part);
            if (end == rows) simd::store_up_to<A>(y + c, sum.value(), count);
          } else {
            simd::store_up_to<A>(y + c, merge(simd::load_up_to<A>(y + c, count), part), count);
          }
        };
        int64_t c = c0;
        for (; c + w <= c1; c += w) column(c, w);
        if (c < c1) column(c, c1 - c);
      });
    }
  });
  for (int64_t c = 0; c < n; ++c) y[c] = reduce_end<A>(op, y[c], rows);
}

template <class A>
void lstm_cell(int64_t hidden, const float* gates, const float* peepholes, float* c, float* h) {
  constexpr int64_t w = simd::lanes<A>;
  for (int64_t j = 0; j < hidden; j += w) {
    const int64_t count = lesser(w, hidden - j);
    const auto gate = [=](const float* p, int64_t which) { return simd::load_up_to<A>(p + which * hidden + j, count); };
    const vf<A> before = simd::load_up_to<A>(c + j, count);
    vf<A> i = gate(gates, 0), o = gate(gates, 1), f = gate(gates, 2);
    if (peepholes) {
      i = simd::madd<A>(gate(peepholes, 0), before, i);
      f = simd::madd<A>(gate(peepholes, 2), before, f);
    }
    const vf<A> after = simd::madd<A>(simd::sigmoid<A>(f), before, simd::sigmoid<A>(i) * simd::tanh<A>(gate(gates, 3)));
    if (peepholes) o = simd::madd<A>(gate(peepholes, 1), after, o);
    simd::store_up_to<A>(c + j, after, count);
    simd::store_up_to<A>(h + j, simd::sigmoid<A>(o) * simd::tanh<A>(after), count);
  }
}

template <class A>
void gru_cell(int64_t hidden, const float* x_gates, const float* h_gates, float* h) {
  constexpr int64_t w = simd::lanes<A>;
  for (int64_t j = 0; j < hidden; j += w) {
    const int64_t count = lesser(w, hidden - j);
    const auto gate = [=](const float* p, int64_t which) { return simd::load_up_to<A>(p + which * hidden + j, count); };
    const vf<A> z = simd::sigmoid<A>(gate(x_gates, 0) + gate(h_gates, 0));
    const vf<A> r = simd::sigmoid<A>(gate(x_gates, 1) + gate(h_gates, 1));
    const vf<A> n = simd::tanh<A>(simd::madd<A>(r, gate(h_gates, 2), gate(x_gates, 2)));
    const vf<A> before = simd::load_up_to<A>(h + j, count);
    simd::store_up_to<A>(h + j, simd::madd<A>(z, before - n, n), count);
  }
}

template <class A>
constexpr RowKernels row_kernels() {
  return {
      .softmax = softmax<A>,
      .log_softmax = log_softmax<A>,
      .softmax_strided = softmax_strided<A>,
      .log_softmax_strided = log_softmax_strided<A>,
      .layer_norm = layer_norm<A>,
      .rms_norm = rms_norm<A>,
      .mean_variance = mean_variance<A>,
      .column_mean_variance = column_mean_variance<A>,
      .reduce = reduce<A>,
      .reduce_columns = reduce_columns<A>,
      .lstm_cell = lstm_cell<A>,
      .gru_cell = gru_cell<A>,
  };
}

}  // namespace nm::impl
