// Determinants of a batch of square matrices, by elimination with row exchanges.
#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

double determinant(double* m, int64_t n) {
  double det = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      if (std::abs(m[i * n + k]) > std::abs(m[pivot * n + k])) pivot = i;
    }
    const double p = m[pivot * n + k];
    if (p == 0) return 0;
    if (pivot != k) {
      std::swap_ranges(m + k * n, m + (k + 1) * n, m + pivot * n);
      det = -det;
    }
    det *= p;
    for (int64_t i = k + 1; i < n; ++i) {
      const double f = m[i * n + k] / p;
      for (int64_t j = k + 1; j < n; ++j) m[i * n + j] -= f * m[k * n + j];
    }
  }
  return det;
}

class Det final : public Operator {
 public:
  explicit Det(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the input"));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    Shape s = inference.shape(0);
    if (s.rank() < 2) return wrong_shape("the input", s, "square matrices: at least two dimensions");
    const int64_t rows = s[s.rank() - 2];
    if (rows >= 0 && s.back() >= 0 && rows != s.back()) return wrong_shape("the input", s, "square matrices");
    s.erase(s.rank() - 1);
    s.erase(s.rank() - 1);
    inference.output(0, inference.type(0), s);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const int64_t n = in.shape().back();
    return with_float(in.dtype(), [&]<class T>() -> Status {
      NM_ASSIGN(double* m, execution.scratch<double>(Size(n) * n));
      for (int64_t i = 0; i < execution.output(0).count(); ++i) {
        std::copy_n(in.data<T>() + i * n * n, n * n, m);
        execution.out<T>(0)[i] = static_cast<T>(determinant(m, n));
      }
      return {};
    });
  }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Det>("Det", 11, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(det, kEntries)

}  // namespace nm
