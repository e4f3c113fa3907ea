// Normalisation over the last dimensions: LayerNormalization, RMSNormalization, and com.microsoft's forms that add a
// residual first.
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

enum class Norm { Layer, Rms };

// One row; mean may be null (nothing is subtracted).
template <class T>
void normalize(const T* x, const T* scale, const T* bias, int64_t n, T epsilon, bool center, T* y, float* mean,
               float* inv_std) {
  T center_at = 0;
  if (center) {
    for (int64_t i = 0; i < n; ++i) center_at += x[i];
    center_at /= static_cast<T>(n);
  }
  T variance = 0;
  for (int64_t i = 0; i < n; ++i) variance += (x[i] - center_at) * (x[i] - center_at);
  const T factor = 1 / std::sqrt(variance / static_cast<T>(n) + epsilon);
  for (int64_t i = 0; i < n; ++i) {
    y[i] = (x[i] - center_at) * factor * (scale ? scale[i] : T{1}) + (bias ? bias[i] : T{0});
  }
  if (mean) *mean = static_cast<float>(center_at);
  if (inv_std) *inv_std = static_cast<float>(factor);
}

// Scale or bias: the elements for row r start at data + r·step.
template <class T>
struct Parameter {
  const T* data = nullptr;
  int64_t step = 0;
  const T* row(int64_t r) const { return data == nullptr ? nullptr : data + r * step; }
};

// A tensor that is smaller than the normalised dimensions is repeated; one that differs from row to row, as large as x.
template <class T>
Result<Parameter<T>> parameter(Execution& execution, size_t i, const Shape& x, int axis) {
  if (!execution.has(i)) return Parameter<T>();
  const Tensor& t = execution.input(i);
  const Shape normalized(x.dims().subspan(static_cast<size_t>(axis)));
  Shape own = t.shape();
  while (own.rank() > 0 && own.rank() > normalized.rank() && own[0] == 1) own.erase(0);
  const bool by_row = own.rank() > normalized.rank();
  const Shape& full_shape = by_row ? x : normalized;
  const int64_t step = by_row ? normalized.count() : 0;
  if (own == full_shape) return Parameter<T>{t.data<T>(), step};
  NM_ASSIGN(T * full, execution.scratch<T>(Size(full_shape.count())));
  const Broadcast b(full_shape, {&own});
  b.walk(0, b.count(), [&](const Broadcast::Run& r) {
    for (int64_t k = 0; k < r.count; ++k) full[r.out + k] = t.data<T>()[r.in[0] + k * b.step(0)];
  });
  return Parameter<T>{full, step};
}

Status check_parameter(const Inference& inference, size_t i, std::string_view what, const Shape& x) {
  if (!inference.has_shape(i)) return {};
  Shape own = inference.shape(i);
  while (own.rank() > x.rank() && own[0] == 1) own.erase(0);
  const auto both = broadcast_shape(x, own);
  if (both && both->rank() == x.rank() && (!both->known() || !x.known() || *both == x)) return {};
  return wrong_shape(what, inference.shape(i), text("a shape that broadcasts to ", to_string(x)));
}

class LayerNorm final : public Operator {
 public:
  LayerNorm(Attributes& a, Norm kind)
      : kind_(kind), axis_(a.integer("axis", -1)), epsilon_(a.number("epsilon", 1e-5f)) {
    a.ignore({"stash_type"});  // always float32
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_float(inference, 0, "the input"));
    NM_TRY(check_float(inference, 1, "the scale (input 1)"));
    if (kind_ == Norm::Layer) NM_TRY(common_type(inference, 0, inference.input_count()).take_status());
    const DType type = inference.type(kind_ == Norm::Rms ? 1 : 0);  // of RMS norms: the scale's
    inference.output(0, type);
    inference.output(1, DType::Float32);
    inference.output(2, DType::Float32);
    if (!inference.has_shape(0)) return {};
    inference.output(0, type, inference.shape(0));
    NM_ASSIGN(const int axis, check_axis(axis_, inference.shape(0).rank()));
    Shape statistics = inference.shape(0);
    for (int i = axis; i < inference.shape(0).rank(); ++i) statistics[i] = 1;
    inference.output(1, DType::Float32, statistics);  // of RMS norms: the inverse deviation
    inference.output(2, DType::Float32, statistics);
    NM_TRY(check_parameter(inference, 1, "the scale (input 1)", inference.shape(0)));
    return check_parameter(inference, 2, "the bias (input 2)", inference.shape(0));
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.count() == 0) return {};
    if (execution.input(1).dtype() != in.dtype()) {
      return wrong_type("the scale (input 1)", execution.input(1).dtype(), dtype_name(in.dtype()));
    }
    return with_float(in.dtype(), [&]<class T>() { return run_rows<T>(execution, in); });
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& inference) const override {
    return 8 * static_cast<double>(inference.shape(0).count());
  }

 private:
  template <class T>
  Status run_rows(Execution& execution, const Tensor& in) const {
    NM_ASSIGN(const int axis, check_axis(axis_, in.rank()));
    const int64_t rows = in.shape().count(0, axis);
    const int64_t n = in.shape().count(axis, in.rank());
    NM_ASSIGN(const Parameter<T> scale, parameter<T>(execution, 1, in.shape(), axis));
    NM_ASSIGN(const Parameter<T> bias, parameter<T>(execution, 2, in.shape(), axis));
    const bool by_row = scale.step != 0 || bias.step != 0;
    const T* x = in.data<T>();
    T* y = execution.out<T>(0);
    const size_t inv_std_at = kind_ == Norm::Layer ? 2 : 1;
    float* mean = kind_ == Norm::Layer && execution.wants(1) ? execution.out<float>(1) : nullptr;
    float* inv_std = execution.wants(inv_std_at) ? execution.out<float>(inv_std_at) : nullptr;
    // Rows with one scale and bias.
    const auto run = [&](int64_t begin, int64_t end) {
      const int64_t at = begin * n;
      float* m = mean ? mean + begin : nullptr;
      float* s = inv_std ? inv_std + begin : nullptr;
      if constexpr (std::is_same_v<T, float>) {
        const RowKernels& k = kernels().rows;
        if (kind_ == Norm::Layer) {
          k.layer_norm(end - begin, n, x + at, n, scale.row(begin), bias.row(begin), epsilon_, y + at, n, m, s);
        } else {
          k.rms_norm(end - begin, n, x + at, n, scale.row(begin), epsilon_, y + at, n, s);
        }
      } else {
        for (int64_t r = begin; r < end; ++r) {
          normalize<T>(x + r * n, scale.row(r), bias.row(r), n, epsilon_, kind_ == Norm::Layer, y + r * n,
                       mean ? mean + r : nullptr, inv_std ? inv_std + r : nullptr);
        }
      }
    };
    for_rows(rows, n, [&](int64_t begin, int64_t end) {
      if (!by_row) return run(begin, end);
      for (int64_t r = begin; r < end; ++r) run(r, r + 1);
    });
    return {};
  }

  Norm kind_;
  int64_t axis_;
  float epsilon_;
};

// sum = x + skip (+ bias), normalised over the last dimension. Outputs: the result, mean, inverse deviation, sum.
class SkipNorm final : public Operator {
 public:
  SkipNorm(Attributes& a, Norm kind) : kind_(kind), epsilon_(a.number("epsilon", 1e-12f)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_type(inference, 0, "the input", {DType::Float32, DType::Float16, DType::BFloat16}));
    NM_TRY(common_type(inference, 0, inference.input_count()).take_status());
    output_like(inference, 0, 0);
    output_like(inference, 3, 0);
    inference.output(1, DType::Float32);
    inference.output(2, DType::Float32);
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 2) return wrong_shape("the input", x, "at least two dimensions");
    Shape statistics = x;
    statistics[x.rank() - 1] = 1;
    inference.output(1, DType::Float32, statistics);
    inference.output(2, DType::Float32, statistics);
    if (inference.has_shape(1)) {
      const auto both = broadcast_shape(x, inference.shape(1));
      if (!both || (x.known() && both->known() && *both != x)) {
        return wrong_shape("the skip (input 1)", inference.shape(1), text("a shape that broadcasts to ", to_string(x)));
      }
    }
    for (size_t i = 2; i < inference.input_count(); ++i) {
      if (!inference.has_shape(i) || x.back() < 0 || !inference.shape(i).known() ||
          inference.shape(i) == Shape{x.back()})
        continue;
      return wrong_shape(text("input ", i), inference.shape(i), to_string(Shape{x.back()}));
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.count() == 0) return {};
    if (in.dtype() != DType::Float32) return no_arithmetic(in.dtype());
    const int64_t n = in.shape().back();
    const int64_t rows = in.count() / n;
    const size_t bias_at = kind_ == Norm::Layer ? 4 : 3;  // the simplified form has no beta
    const float* beta = kind_ == Norm::Layer && execution.has(3) ? execution.data<float>(3) : nullptr;
    const float* bias = execution.has(bias_at) ? execution.data<float>(bias_at) : nullptr;
    const float* gamma = execution.data<float>(2);
    float* sum = execution.wants(3) ? execution.out<float>(3) : execution.out<float>(0);
    const Broadcast b(in.shape(), {&execution.input(1).shape()});
    const float* x = in.data<float>();
    const float* skip = execution.data<float>(1);
    float* y = execution.out<float>(0);
    float* mean = execution.wants(1) ? execution.out<float>(1) : nullptr;
    float* inv_std = execution.wants(2) ? execution.out<float>(2) : nullptr;
    const KernelTable& k = kernels();
    for_rows(rows, n, [&](int64_t begin, int64_t end) {
      b.walk(begin * n, end * n, [&](const Broadcast::Run& r) {
        if (b.step(0) == 1) {
          k.elementwise.binary(Binary::Add, x + r.out, skip + r.in[0], sum + r.out, r.count);
        } else {
          k.elementwise.binary_vs(Binary::Add, x + r.out, skip[r.in[0]], sum + r.out, r.count);
        }
      });
      const int64_t at = begin * n;
      if (bias) k.elementwise.row_affine(end - begin, n, sum + at, n, nullptr, bias, sum + at, n);
      float* s = inv_std ? inv_std + begin : nullptr;
      if (kind_ == Norm::Layer) {
        k.rows.layer_norm(end - begin, n, sum + at, n, gamma, beta, epsilon_, y + at, n, mean ? mean + begin : nullptr,
                          s);
      } else {
        k.rows.rms_norm(end - begin, n, sum + at, n, gamma, epsilon_, y + at, n, s);
      }
    });
    return {};
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& inference) const override {
    return 9 * static_cast<double>(inference.shape(0).count());
  }

 private:
  Norm kind_;
  float epsilon_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    // 17; exporters wrote it for older sets too
    entry<LayerNorm, Norm::Layer>("LayerNormalization", 1, {.inputs = 3, .outputs = 3, .layout = layout::opaque}),
    entry<LayerNorm, Norm::Rms>("RMSNormalization", 23, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
    // com.microsoft's, which its exporters put here
    entry<LayerNorm, Norm::Rms>("SimplifiedLayerNormalization", 1,
                                {.inputs = 2, .outputs = 2, .layout = layout::opaque}),
    entry_in<LayerNorm, Norm::Rms>(kMicrosoftDomain, "SimplifiedLayerNormalization", 1,
                                   {.inputs = 2, .outputs = 2, .layout = layout::opaque}),
    entry_in<SkipNorm, Norm::Layer>(kMicrosoftDomain, "SkipLayerNormalization", 1,
                                    {.inputs = 5, .outputs = 4, .layout = layout::opaque}),
    entry_in<SkipNorm, Norm::Rms>(kMicrosoftDomain, "SkipSimplifiedLayerNormalization", 1,
                                  {.inputs = 4, .outputs = 4, .layout = layout::opaque}),
};

NM_OPERATORS(layer_norm, kEntries)

}  // namespace nm
