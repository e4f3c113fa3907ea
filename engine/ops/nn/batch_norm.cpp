// BatchNormalization. The layout pass adds `nm_channels_last`.
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/planes.h"

namespace nm {
namespace {

class BatchNorm final : public Operator {
 public:
  explicit BatchNorm(Attributes& a)
      : epsilon_(a.number("epsilon", 1e-5f)),
        momentum_(a.number("momentum", 0.9f)),
        spatial_(a.version() >= 9 || a.flag("spatial", true)),
        training_(a.version() >= 14 && a.flag("training_mode", false)),
        channels_last_(a.flag("nm_channels_last", false)) {
    if (a.version() < 7) a.ignore({"is_test"});  // files mean inference, whatever they say
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 5));
    for (size_t i = 0; i < 5; ++i) NM_TRY(check_float(inference, i, text("input ", i)));
    output_like(inference, 0, 0);
    for (size_t o = 1; o < 5; ++o) output_like(inference, o, o % 2 == 1 ? 3 : 4);
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 1) return wrong_shape("the input", x, "at least one dimension");
    if (!spatial_ && channels_last_) return {Code::Internal, "the layout pass changed a form it does not know"};
    const int64_t own = spatial_ ? (x.rank() == 1 ? 1 : x[channels_last_ ? x.rank() - 1 : 1]) : -1;
    for (size_t i = 1; i < 5; ++i) {
      if (!inference.has_shape(i) || !inference.shape(i).known() || !x.known()) continue;
      const int64_t expected = spatial_ ? own : x.count(1, x.rank());
      if (inference.shape(i).count() != expected) {
        return wrong_shape(text("input ", i), inference.shape(i), text(expected, " elements, one for each channel"));
      }
    }
    return {};
  }

  // Early exporters declare the outputs for training without anybody reading them; then nobody wants them by now.
  Status prepare(Preparation& p) override {
    for (size_t o = 1; !training_ && o < p.node().outputs.size(); ++o) {
      if (p.node().outputs[o] == kNone) continue;
      return {Code::UnsupportedOperator, text("output ", o, " is for training; only inference is supported here")};
    }
    return {};
  }

  Status run(Execution& execution) override {
    const DType type = execution.input(0).dtype();
    for (size_t i = 1; i < 5; ++i) {
      if (execution.input(i).dtype() != type)
        return wrong_type(text("input ", i), execution.input(i).dtype(), dtype_name(type));
    }
    return with_float(type, [&]<class T>() { return run_as<T>(execution); });
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& inference) const override {
    return 2 * static_cast<double>(inference.shape(0).count());
  }

 private:
  template <class T>
  Status run_as(Execution& execution) const {
    const Tensor& in = execution.input(0);
    Planes p = Planes::of(in.shape(), channels_last_);
    if (!spatial_) {  // statistics for each element of an image
      p.channels *= p.pixels;
      p.pixels = 1;
    }
    NM_ASSIGN(T * factor, execution.scratch<T>(Size(p.channels)));
    const T* mean = execution.data<T>(3);
    const T* variance = execution.data<T>(4);
    if (training_) {
      NM_ASSIGN(T * batch_mean, execution.scratch<T>(Size(p.channels)));
      NM_ASSIGN(T * batch_variance, execution.scratch<T>(Size(p.channels)));
      statistics(p, in.data<T>(), batch_mean, batch_variance);
      average(execution, 1, mean, batch_mean, p.channels);
      average(execution, 2, variance, batch_variance, p.channels);
      mean = batch_mean;
      variance = batch_variance;
    }
    for (int64_t i = 0; i < p.channels; ++i) {
      factor[i] = execution.data<T>(1)[i] / std::sqrt(variance[i] + static_cast<T>(epsilon_));
    }
    scale_channels<T>(p, {mean, factor, execution.data<T>(2)}, in.data<T>(), execution.out<T>(0));
    return {};
  }

  // Over the batch and the pixels.
  template <class T>
  static void statistics(const Planes& p, const T* x, T* mean, T* variance) {
    const int64_t count = p.batch * p.pixels;
    const auto at = [&](int64_t b, int64_t ch, int64_t i) {
      return p.channels_last ? (b * p.pixels + i) * p.channels + ch : (b * p.channels + ch) * p.pixels + i;
    };
    for (int64_t ch = 0; ch < p.channels; ++ch) {
      double sum = 0, squares = 0;
      for (int64_t b = 0; b < p.batch; ++b) {
        for (int64_t i = 0; i < p.pixels; ++i) sum += x[at(b, ch, i)];
      }
      const double m = sum / static_cast<double>(count);
      for (int64_t b = 0; b < p.batch; ++b) {
        for (int64_t i = 0; i < p.pixels; ++i) squares += (x[at(b, ch, i)] - m) * (x[at(b, ch, i)] - m);
      }
      mean[ch] = static_cast<T>(m);
      variance[ch] = static_cast<T>(squares / static_cast<double>(count));
    }
  }

  template <class T>
  void average(Execution& execution, size_t o, const T* running, const T* current, int64_t n) const {
    if (!execution.wants(o)) return;
    T* out = execution.out<T>(o);
    for (int64_t i = 0; i < n; ++i) out[i] = running[i] * momentum_ + current[i] * (1 - momentum_);
  }

  float epsilon_;
  float momentum_;
  bool spatial_;
  bool training_;
  bool channels_last_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<BatchNorm>("BatchNormalization", 1, {.inputs = 5, .outputs = 5, .layout = layout::image_when_given}),
    entry<BatchNorm>("BatchNormalization", 14, {.inputs = 5, .outputs = 3, .layout = layout::image_when_given}),
};

NM_OPERATORS(batch_norm, kEntries)

}  // namespace nm
