#include <cmath>
#include <numbers>

#include "engine/ops/math/fourier.h"
#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

std::vector<Complex> signal(int64_t n) {
  std::vector<Complex> x;
  for (int64_t i = 0; i < n; ++i) {
    x.push_back({std::sin(static_cast<double>(i * i % 97)), std::cos(static_cast<double>(i * 31 % 89))});
  }
  return x;
}

// By the definition.
Complex coefficient(const std::vector<Complex>& x, int64_t k) {
  const auto n = static_cast<int64_t>(x.size());
  long double re = 0, im = 0;
  for (int64_t i = 0; i < n; ++i) {
    const long double angle = -2 * std::numbers::pi_v<long double> * static_cast<long double>(i * k % n) / n;
    const auto at = static_cast<size_t>(i);
    re += x[at].re * std::cos(angle) - x[at].im * std::sin(angle);
    im += x[at].re * std::sin(angle) + x[at].im * std::cos(angle);
  }
  return {static_cast<double>(re), static_cast<double>(im)};
}

Tensor integer(int64_t v) { return tensor<int64_t>({}, {v}); }

}  // namespace

TEST_CASE("Fourier transforms of any length are exact to double precision, and come back", "[ops][dft]") {
  for (const int64_t n :
       {1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 25, 31, 32, 37, 60, 74, 97, 127, 240, 400, 997, 1024, 2018}) {
    auto plan = Fourier::create(n);
    REQUIRE(plan.ok());
    const auto given = signal(n);
    auto x = given;
    std::vector<Complex> work(static_cast<size_t>(plan->work()));
    plan->transform(x.data(), work.data(), false);
    double worst = 0;
    for (int64_t k = 0; k<n; k += n> 100 ? 17 : 1) {
      const Complex e = coefficient(given, k);
      worst = std::max(worst, std::hypot(x[static_cast<size_t>(k)].re - e.re, x[static_cast<size_t>(k)].im - e.im));
    }
    INFO(n);
    CHECK(worst < 1e-13 * std::sqrt(static_cast<double>(n)) * 10);
    plan->transform(x.data(), work.data(), true);
    worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      worst = std::max(worst, std::hypot(x[i].re - given[i].re, x[i].im - given[i].im));
    }
    CHECK(worst < 1e-14);
  }
}

TEST_CASE("DFT: axes, lengths, sides and directions", "[ops][dft]") {
  const Tensor real = tensor<float>({1, 4, 1}, {1, 2, 3, 4});
  const Tensor spectrum = tensor<float>({1, 4, 2}, {10, 0, -2, 2, -2, 0, -2, -2});
  const Tensor half = tensor<float>({1, 3, 2}, {10, 0, -2, 2, -2, 0});
  const AttributeMap one_sided{{"onesided", int64_t{1}}};
  const AttributeMap inverse{{"inverse", int64_t{1}}};
  const AttributeMap real_inverse{{"onesided", int64_t{1}}, {"inverse", int64_t{1}}};
  check(node("DFT", 17), {real}, {spectrum});
  check(node("DFT", 20), {real}, {spectrum});
  check(node("DFT", 20), {real, Value(), integer(1)}, {spectrum});
  check(node("DFT", 20, one_sided), {real}, {half});
  check(node("DFT", 20, inverse), {spectrum}, {tensor<float>({1, 4, 2}, {1, 0, 2, 0, 3, 0, 4, 0})});
  check(node("DFT", 20, real_inverse), {half}, {real});
  // An odd length has to be said.
  check(node("DFT", 20, real_inverse), {tensor<float>({1, 2, 2}, {6, 0, -1.5f, 0.8660254f}), integer(3)},
        {tensor<float>({1, 3, 1}, {1, 2, 3})});
  check(node("DFT", 17), {real, tensor<int32_t>({1}, {2})}, {tensor<float>({1, 2, 2}, {3, 0, -1, 0})});
  check(node("DFT", 17, one_sided), {tensor<double>({1, 1, 1}, {5}), integer(3)},
        {tensor<double>({1, 2, 2}, {5, 0, 5, 0})});
  const Tensor plane = tensor<float>({2, 2, 2}, {1, 0, 2, 0, 3, 1, 4, -1});
  const Tensor columns = tensor<float>({2, 2, 2}, {4, 1, 6, -1, -2, -1, -2, 1});
  check(node("DFT", 17, {{"axis", int64_t{0}}}), {plane}, {columns});
  check(node("DFT", 20), {plane, Value(), integer(-3)}, {columns});
  check(node("DFT", 20), {tensor<float>({0, 4, 1}, {})}, {tensor<float>({0, 4, 2}, {})});
}

TEST_CASE("DFT refuses what has no transform", "[ops][dft]") {
  const Tensor real = tensor<float>({1, 4, 1}, {1, 2, 3, 4});
  const Tensor complex = tensor<float>({1, 2, 2}, {1, 2, 3, 4});
  check_fails(node("DFT", 20), {real, Value(), integer(-1)}, Code::ShapeMismatch);
  check_fails(node("DFT", 20), {real, Value(), integer(3)}, Code::ShapeMismatch);
  check_fails(node("DFT", 20), {real, integer(0)}, Code::InvalidData);
  check_fails(node("DFT", 20), {tensor<float>({1, 0, 1}, {})}, Code::ShapeMismatch);
  check_fails(node("DFT", 20), {tensor<float>({1, 3}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(node("DFT", 20), {tensor<int64_t>({1, 1, 1}, {1})}, Code::TypeMismatch);
  check_fails(node("DFT", 20, {{"onesided", int64_t{1}}}), {complex}, Code::ShapeMismatch);
  check_fails(node("DFT", 20, {{"onesided", int64_t{1}}, {"inverse", int64_t{1}}}), {real}, Code::ShapeMismatch);
  check_fails(node("DFT", 20), {real, integer(int64_t{1} << 50)}, Code::OutOfMemory);
}

TEST_CASE("STFT slides a window", "[ops][dft]") {
  const Tensor samples = tensor<float>({1, 6, 1}, {1, 2, 3, 4, 5, 6});
  const Tensor window = tensor<float>({4}, {1, 0, 1, 0});
  const Tensor half = tensor<float>({1, 2, 3, 2}, {4, 0, -2, 0, 4, 0, 8, 0, -2, 0, 8, 0});
  check(node("STFT", 17), {samples, integer(2), window, integer(4)}, {half});
  check(node("STFT", 17), {samples, integer(2), window}, {half});
  check(node("STFT", 17), {tensor<float>({1, 6}, {1, 2, 3, 4, 5, 6}), integer(2), window}, {half});
  check(node("STFT", 17), {samples, integer(3), Value(), tensor<int32_t>({}, {2})},
        {tensor<float>({1, 2, 2, 2}, {3, 0, -1, 0, 9, 0, -1, 0})});
  check(node("STFT", 17, {{"onesided", int64_t{0}}}),
        {tensor<double>({1, 2, 2}, {1, 1, 2, 0}), integer(1), Value(), integer(2)},
        {tensor<double>({1, 1, 2, 2}, {3, 1, -1, 1})});
  check_fails(node("STFT", 17), {tensor<float>({6}, {1, 2, 3, 4, 5, 6}), integer(2), window}, Code::ShapeMismatch);
  check_fails(node("STFT", 17), {samples, integer(0), window}, Code::InvalidData);
  check_fails(node("STFT", 17), {samples, integer(1), window, integer(3)}, Code::ShapeMismatch);
  check_fails(node("STFT", 17), {samples, integer(1), Value(), integer(7)}, Code::ShapeMismatch);
  check_fails(node("STFT", 17), {tensor<float>({1, 2, 2}, {1, 1, 2, 0}), integer(1)}, Code::ShapeMismatch);
  check_fails(node("STFT", 17), {samples, integer(1), tensor<double>({1}, {1})}, Code::TypeMismatch);
}
