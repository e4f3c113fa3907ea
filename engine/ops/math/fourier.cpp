#include "engine/ops/math/fourier.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/text.h"

namespace nm {
namespace {

// Lengths with a larger prime factor go by a convolution instead, where the cost does not grow with the factor.
constexpr int64_t kLargestFactor = 31;

Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
Complex operator*(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
Complex conjugate(Complex a) { return {a.re, -a.im}; }
Complex times_minus_i(Complex a) { return {a.im, -a.re}; }

// exp(-2πi·k/n) for 0 <= k < n. The angle stays below an eighth of a turn, where it is most exact.
Complex root(int64_t k, int64_t n) {
  const int64_t eighths = n < INT64_MAX / 8 ? (8 * k + n / 2) / n : 0;  // to the nearest
  const double turns = (static_cast<double>(8 * k) - static_cast<double>(eighths) * static_cast<double>(n)) /
                       (8 * static_cast<double>(n));
  const double angle = 2 * std::numbers::pi * turns;
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  constexpr double kHalf = std::numbers::sqrt2 / 2;
  constexpr Complex kEighth[] = {{1, 0},  {kHalf, -kHalf}, {0, -1}, {-kHalf, -kHalf},
                                 {-1, 0}, {-kHalf, kHalf}, {0, 1},  {kHalf, kHalf}};
  return Complex{c, -s} * kEighth[eighths & 7];
}

// The radix of the next stage.
int64_t next_factor(int64_t n) {
  if (n % 4 == 0) return 4;
  for (int64_t f = 2; f * f <= n && f <= kLargestFactor; ++f) {
    if (n % f == 0) return f;
  }
  return n;
}

bool is_smooth(int64_t n) {
  for (int64_t f = 2; f <= kLargestFactor; ++f) {
    while (n % f == 0) n /= f;
  }
  return n == 1;
}

Complex* data(const Tensor& t) { return static_cast<Complex*>(const_cast<void*>(t.raw())); }

Result<Tensor> table(int64_t n) { return Tensor::create(DType::Complex128, Shape{n}); }

}  // namespace

Result<Fourier> Fourier::create(int64_t n) {
  Fourier f;
  f.n_ = f.smooth_ = f.work_ = n;
  if (!is_smooth(n)) {
    if (n > INT64_MAX / 64) return Status(Code::OutOfMemory, text("there is no memory for a transform of ", n));
    f.smooth_ = 1;
    while (f.smooth_ < 2 * n - 1) f.smooth_ *= 2;
    f.work_ = 2 * f.smooth_;
  }
  NM_ASSIGN(f.roots_, table(f.smooth_));
  for (int64_t k = 0; k < f.smooth_; ++k) data(f.roots_)[k] = root(k, f.smooth_);
  if (f.smooth_ == n) return f;
  NM_ASSIGN(f.chirp_, table(n));
  NM_ASSIGN(f.filter_, table(f.smooth_));
  Complex* filter = data(f.filter_);
  std::fill_n(filter, f.smooth_, Complex{});
  int64_t square = 0;  // k² modulo 2n, as the root has that period
  for (int64_t k = 0; k < n; ++k) {
    const Complex c = root(square, 2 * n);
    data(f.chirp_)[k] = c;
    filter[k] = filter[k ? f.smooth_ - k : 0] = conjugate(c);
    square = (square + 2 * k + 1) % (2 * n);
  }
  NM_ASSIGN(const Tensor work, table(f.smooth_));
  f.stages(filter, data(work));
  return f;
}

void Fourier::transform(Complex* x, Complex* work, bool inverse) const {
  if (inverse) {
    for (int64_t i = 0; i < n_; ++i) x[i] = conjugate(x[i]);
  }
  if (smooth_ == n_) {
    stages(x, work);
  } else {
    convolve(x, work);
  }
  if (inverse) {
    const auto n = static_cast<double>(n_);
    for (int64_t i = 0; i < n_; ++i) x[i] = {x[i].re / n, -x[i].im / n};
  }
}

// Stockham's way: each stage reads one array and writes the other, in the order that the next one wants.
void Fourier::stages(Complex* x, Complex* work) const {
  const Complex* roots = data(roots_);
  Complex* from = x;
  Complex* to = work;
  int64_t stride = 1;
  for (int64_t n = smooth_; n > 1;) {
    const int64_t p = next_factor(n);
    const int64_t m = n / p;
    for (int64_t q = 0; q < m; ++q) {
      for (int64_t k = 0; k < stride; ++k) {
        const Complex* in = from + k + stride * q;
        Complex* out = to + k + stride * p * q;
        if (p == 4) {
          const Complex a = in[0] + in[2 * stride * m];
          const Complex b = in[0] - in[2 * stride * m];
          const Complex c = in[stride * m] + in[3 * stride * m];
          const Complex d = times_minus_i(in[stride * m] - in[3 * stride * m]);
          out[0] = a + c;
          out[stride] = (b + d) * roots[q * stride];
          out[2 * stride] = (a - c) * roots[2 * q * stride];
          out[3 * stride] = (b - d) * roots[3 * q * stride];
          continue;
        }
        for (int64_t r = 0; r < p; ++r) {
          Complex sum = in[0];
          for (int64_t j = 1; j < p; ++j) sum = sum + in[j * stride * m] * roots[j * r % p * (smooth_ / p)];
          out[r * stride] = sum * roots[q * r * stride];
        }
      }
    }
    std::swap(from, to);
    n = m;
    stride *= p;
  }
  if (from != x) std::copy_n(from, smooth_, x);
}

// Bluestein's way: jk = (j² + k² - (k-j)²)/2 makes the transform a convolution, done by transforms of another length.
void Fourier::convolve(Complex* x, Complex* work) const {
  const Complex* chirp = data(chirp_);
  Complex* y = work;
  for (int64_t i = 0; i < n_; ++i) y[i] = x[i] * chirp[i];
  std::fill(y + n_, y + smooth_, Complex{});
  stages(y, work + smooth_);
  for (int64_t i = 0; i < smooth_; ++i) y[i] = conjugate(y[i] * data(filter_)[i]);
  stages(y, work + smooth_);
  const auto m = static_cast<double>(smooth_);
  for (int64_t i = 0; i < n_; ++i) x[i] = conjugate(y[i]) * chirp[i] * Complex{1 / m, 0};
}

}  // namespace nm
