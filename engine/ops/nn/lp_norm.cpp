// LpNormalization, MeanVarianceNormalization and LRN.
#include <algorithm>
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

class LpNormalization final : public Operator {
 public:
  explicit LpNormalization(Attributes& a) : axis_(a.integer("axis", -1)), p_(a.integer("p", 2)) {
    if (p_ != 1 && p_ != 2) a.fail(text("the attribute 'p' is ", p_, "; it must be 1 or 2"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the input"));
    output_like(inference, 0, 0);
    return inference.has_shape(0) ? check_axis(axis_, inference.shape(0).rank()).take_status() : Status();
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    NM_ASSIGN(const int axis, check_axis(axis_, in.rank()));
    const int64_t outer = in.shape().count(0, axis);
    const int64_t n = in.dim(axis);
    const int64_t inner = in.shape().count(axis + 1, in.rank());
    return with_float(in.dtype(), [&]<class T>() -> Status {
      for (int64_t o = 0; o < outer; ++o) {
        for (int64_t i = 0; i < inner; ++i) {
          const int64_t at = o * n * inner + i;
          scale(in.data<T>() + at, execution.out<T>(0) + at, n, inner);
        }
      }
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }

 private:
  // A row of zeros stays as it is.
  template <class T>
  void scale(const T* x, T* y, int64_t n, int64_t step) const {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double v = x[i * step];
      sum += p_ == 1 ? std::abs(v) : v * v;
    }
    const T norm = static_cast<T>(p_ == 2 ? std::sqrt(sum) : sum);
    for (int64_t i = 0; i < n; ++i) y[i * step] = norm == 0 ? x[i * step] : x[i * step] / norm;
  }

  int64_t axis_;
  int64_t p_;
};

class MeanVarianceNormalization final : public Operator {
 public:
  explicit MeanVarianceNormalization(Attributes& a) : axes_(a.integers("axes", {0, 2, 3})) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the input"));
    output_like(inference, 0, 0);
    return inference.has_shape(0) ? check_axes(axes_, inference.shape(0).rank()).take_status() : Status();
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.count() == 0) return {};
    NM_ASSIGN(const uint32_t axes, check_axes(axes_, in.rank()));
    Shape kept = in.shape();
    for (int i = 0; i < in.rank(); ++i) {
      if (axes >> i & 1) kept[i] = 1;
    }
    const int64_t groups = kept.count();
    const auto n = static_cast<double>(in.count() / groups);
    NM_ASSIGN(double* mean, execution.scratch<double>(Size(groups)));
    NM_ASSIGN(double* deviation, execution.scratch<double>(Size(groups)));
    std::fill_n(mean, groups, 0.0);
    std::fill_n(deviation, groups, 0.0);
    const Broadcast b(in.shape(), {&kept});
    const auto each = [&](auto&& body) {
      b.walk(0, b.count(), [&](const Broadcast::Run& r) {
        for (int64_t i = 0; i < r.count; ++i) body(r.out + i, r.in[0] + i * b.step(0));
      });
    };
    return with_float(in.dtype(), [&]<class T>() -> Status {
      const T* x = in.data<T>();
      T* y = execution.out<T>(0);
      each([&](int64_t i, int64_t g) { mean[g] += x[i]; });
      for (int64_t g = 0; g < groups; ++g) mean[g] /= n;
      each([&](int64_t i, int64_t g) { deviation[g] += (x[i] - mean[g]) * (x[i] - mean[g]); });
      for (int64_t g = 0; g < groups; ++g) deviation[g] = std::sqrt(deviation[g] / n) + 1e-9;
      each([&](int64_t i, int64_t g) { y[i] = static_cast<T>((x[i] - mean[g]) / deviation[g]); });
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }

 private:
  std::vector<int64_t> axes_;
};

// y = x / (bias + alpha/size · sum of squares over `size` neighbouring channels)^beta
class Lrn final : public Operator {
 public:
  explicit Lrn(Attributes& a)
      : size_(a.integer("size", 1)),
        alpha_(a.number("alpha", 1e-4f)),
        beta_(a.number("beta", 0.75f)),
        bias_(a.number("bias", 1)) {
    a.require("size");
    if (size_ < 1) a.fail(text("the attribute 'size' is ", size_, "; it must be positive"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the input"));
    output_like(inference, 0, 0);
    if (inference.has_shape(0) && inference.shape(0).rank() < 2)
      return wrong_shape("the input", inference.shape(0), "batch and channels");
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.count() == 0) return {};
    const int64_t channels = in.dim(1);
    const int64_t pixels = in.shape().count(2, in.rank());
    const int64_t before = (size_ - 1) / 2;
    return with_float(in.dtype(), [&]<class T>() -> Status {
      NM_ASSIGN(T * sums, execution.scratch<T>(Size(in.count())));
      const T* x = in.data<T>();
      T* y = execution.out<T>(0);
      for_rows(in.dim(0) * channels, pixels * std::min(size_, channels), [&](int64_t begin, int64_t end) {
        for (int64_t plane = begin; plane < end; ++plane) {
          const int64_t ch = plane % channels;
          const int64_t first = std::max(int64_t{0}, ch - before);
          const int64_t last = ch > channels - (size_ - before) ? channels - 1 : ch + size_ - 1 - before;
          T* sum = sums + plane * pixels;
          std::fill_n(sum, pixels, T{0});
          for (int64_t k = first; k <= last; ++k) {
            const T* from = x + (plane - ch + k) * pixels;
            for (int64_t i = 0; i < pixels; ++i) sum[i] += from[i] * from[i];
          }
        }
      });
      const T factor = static_cast<T>(alpha_) / static_cast<T>(size_);
      for_elements(in.count(), [&](int64_t begin, int64_t end) {
        if constexpr (std::is_same_v<T, float>) {
          const ElementwiseKernels& k = kernels().elementwise;
          k.unary(Unary::Affine, sums + begin, sums + begin, end - begin, factor, bias_);
          k.binary_vs(Binary::Pow, sums + begin, -beta_, sums + begin, end - begin);
          k.binary(Binary::Mul, x + begin, sums + begin, y + begin, end - begin);
        } else {
          for (int64_t i = begin; i < end; ++i) y[i] = x[i] * std::pow(bias_ + factor * sums[i], -beta_);
        }
      });
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& inference) const override {
    return static_cast<double>(inference.shape(0).count()) * static_cast<double>(2 * size_ + 4);
  }

 private:
  int64_t size_;
  float alpha_;
  float beta_;
  float bias_;
};

}  // namespace

constexpr Facts kNorm = {.inputs = 1, .outputs = 1, .layout = layout::opaque};

constexpr OperatorEntry kEntries[] = {
    entry<LpNormalization>("LpNormalization", 1, kNorm),
    entry<MeanVarianceNormalization>("MeanVarianceNormalization", 9, kNorm),
    entry<Lrn>("LRN", 1, kNorm),
};

NM_OPERATORS(lp_norm, kEntries)

}  // namespace nm
