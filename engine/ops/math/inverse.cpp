// com.microsoft's Inverse of square matrices, by elimination with the largest pivots, in double precision.
#include <cmath>
#include <vector>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// Turns [rows | identity], n rows of 2n, into [identity | inverse]; false when there is none.
bool invert(double* m, int64_t n) {
  const int64_t width = 2 * n;
  for (int64_t c = 0; c < n; ++c) {
    int64_t pivot = c;
    for (int64_t r = c + 1; r < n; ++r) {
      if (std::abs(m[r * width + c]) > std::abs(m[pivot * width + c])) pivot = r;
    }
    const double p = m[pivot * width + c];
    if (p == 0 || std::isnan(p)) return false;
    for (int64_t i = 0; i < width; ++i) std::swap(m[c * width + i], m[pivot * width + i]);
    for (int64_t i = 0; i < width; ++i) m[c * width + i] /= p;
    for (int64_t r = 0; r < n; ++r) {
      const double factor = m[r * width + c];
      if (r == c || factor == 0) continue;
      for (int64_t i = 0; i < width; ++i) m[r * width + i] -= factor * m[c * width + i];
    }
  }
  return true;
}

class Inverse final : public Operator {
 public:
  explicit Inverse(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the input"));
    output_like(inference, 0, 0);
    if (!inference.has_shape(0)) return {};
    const Shape& s = inference.shape(0);
    const bool square = s.rank() >= 2 && (s.back() < 0 || s[s.rank() - 2] < 0 || s.back() == s[s.rank() - 2]);
    return square ? Status() : wrong_shape("the input", s, "square matrices");
  }

  Status run(Execution& execution) override {
    return with_float(execution.input(0).dtype(), [&]<class T>() -> Status {
      const Tensor& in = execution.input(0);
      const int64_t n = in.shape().back();
      if (in.count() == 0) return {};
      NM_ASSIGN(double* m, execution.scratch<double>(Size(2) * n * n));
      for (int64_t i = 0; i < in.count() / (n * n); ++i) {
        const T* x = in.data<T>() + i * n * n;
        T* y = execution.out<T>(0) + i * n * n;
        for (int64_t k = 0; k < n * n; ++k) {
          m[k / n * 2 * n + k % n] = static_cast<double>(x[k]);
          m[k / n * 2 * n + n + k % n] = k / n == k % n ? 1 : 0;
        }
        if (!invert(m, n)) return {Code::InvalidData, text("matrix ", i, " has no inverse")};
        for (int64_t k = 0; k < n * n; ++k) y[k] = static_cast<T>(m[k / n * 2 * n + n + k % n]);
      }
      return {};
    });
  }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<Inverse>(kMicrosoftDomain, "Inverse", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(inverse, kEntries)

}  // namespace nm
