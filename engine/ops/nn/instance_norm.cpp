// InstanceNormalization and GroupNormalization. The layout pass adds `nm_channels_last`.
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/planes.h"

namespace nm {
namespace {

class InstanceNorm final : public Operator {
 public:
  explicit InstanceNorm(Attributes& a)
      : epsilon_(a.number("epsilon", 1e-5f)), channels_last_(a.flag("nm_channels_last", false)) {
    if (a.op_type() != "GroupNormalization") return;
    a.require("num_groups");
    if (a.version() >= 21) a.ignore({"stash_type"});  // always float32
    groups_ = a.integer("num_groups", 1);
    grouped_ = true;
    scale_per_group_ = a.version() < 21;
    if (groups_ < 1) a.fail("the attribute 'num_groups' must be positive");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_float(inference, 0, "the input"));
    NM_TRY(common_type(inference, 0, 3).take_status());
    output_like(inference, 0, 0);
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 2) return wrong_shape("the input", x, "batch and channels: at least two dimensions");
    const int64_t channels = x[channels_last_ ? x.rank() - 1 : 1];
    if (channels < 0) return {};
    if (grouped_ && channels % groups_ != 0)
      return wrong_shape("the input", x, text("channels in ", groups_, " groups"));
    const Shape expected{scale_per_group_ ? groups_ : channels};
    for (size_t i = 1; i < 3; ++i) {
      if (inference.has_shape(i) && inference.shape(i).known() && inference.shape(i) != expected) {
        return wrong_shape(i == 1 ? "the scale (input 1)" : "the bias (input 2)", inference.shape(i),
                           to_string(expected));
      }
    }
    return {};
  }

  Status run(Execution& execution) override {
    if (execution.input(0).count() == 0) return {};
    return with_float(execution.input(0).dtype(), [&]<class T>() { return run_as<T>(execution); });
  }

  bool in_place(size_t i) const override { return i == 0; }
  double flops(const Inference& inference) const override {
    return 6 * static_cast<double>(inference.shape(0).count());
  }

 private:
  template <class T>
  Status run_as(Execution& execution) const {
    const Tensor& in = execution.input(0);
    const Planes p = Planes::of(in.shape(), channels_last_);
    const int64_t groups = grouped_ ? groups_ : p.channels;
    const int64_t size = p.channels / groups;  // channels of a group
    NM_ASSIGN(T * mean, execution.scratch<T>(Size(p.batch) * p.channels));
    NM_ASSIGN(T * variance, execution.scratch<T>(Size(p.batch) * p.channels));
    if (channels_last_) {
      NM_TRY(column_statistics<T>(execution, p, in.data<T>(), mean, variance));
      if (size > 1) merge(p.batch * groups, size, mean, variance);
    } else {
      mean_variance<T>(p.batch * groups, size * p.pixels, in.data<T>(), mean, variance);
    }
    NM_ASSIGN(T * offset, execution.scratch<T>(Size(p.batch) * p.channels));
    // A mean, a factor and an offset for each image and channel, from the last on: they take the statistics' place.
    for (int64_t i = p.batch * p.channels; i-- > 0;) {
      const int64_t ch = i % p.channels;
      const int64_t parameter = scale_per_group_ ? ch / size : ch;
      const T factor = execution.data<T>(1)[parameter] / std::sqrt(variance[i / size] + static_cast<T>(epsilon_));
      mean[i] = mean[i / size];
      variance[i] = factor;
      offset[i] = execution.data<T>(2)[parameter];
    }
    scale_channels<T>(p, {mean, variance, offset, true}, in.data<T>(), execution.out<T>(0));
    return {};
  }

  // Pixels go in blocks of one size whatever the number of threads, so that sums are the same.
  static constexpr int64_t kBlockElements = 65536;

  template <class T>
  static Status column_statistics(const Execution& execution, const Planes& p, const T* x, T* mean, T* variance) {
    const int64_t block = std::max<int64_t>(1, kBlockElements / p.channels);
    const int64_t blocks = (p.pixels + block - 1) / block;
    NM_ASSIGN(T * means, execution.scratch<T>(Size(blocks) * p.channels));
    NM_ASSIGN(T * variances, execution.scratch<T>(Size(blocks) * p.channels));
    for (int64_t b = 0; b < p.batch; ++b) {
      const T* image = x + b * p.pixels * p.channels;
      thread_pool::parallel_for(blocks, 1, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t pixels = std::min(block, p.pixels - i * block);
          block_statistics<T>(pixels, p.channels, image + i * block * p.channels, means + i * p.channels,
                              variances + i * p.channels);
        }
      });
      for (int64_t ch = 0; ch < p.channels; ++ch) {
        double sum = 0;
        for (int64_t i = 0; i < blocks; ++i) {
          sum += static_cast<double>(means[i * p.channels + ch]) *
                 static_cast<double>(std::min(block, p.pixels - i * block));
        }
        const T m = static_cast<T>(sum / static_cast<double>(p.pixels));
        T squares = 0;
        for (int64_t i = 0; i < blocks; ++i) {
          const T d = means[i * p.channels + ch] - m;
          squares += (variances[i * p.channels + ch] + d * d) * static_cast<T>(std::min(block, p.pixels - i * block));
        }
        mean[b * p.channels + ch] = m;
        variance[b * p.channels + ch] = squares / static_cast<T>(p.pixels);
      }
    }
    return {};
  }

  template <class T>
  static void block_statistics(int64_t pixels, int64_t channels, const T* x, T* mean, T* variance) {
    if constexpr (std::is_same_v<T, float>) {
      kernels().rows.column_mean_variance(pixels, channels, x, channels, mean, variance);
    } else {
      for (int64_t ch = 0; ch < channels; ++ch) {
        T sum = 0, squares = 0;
        for (int64_t i = 0; i < pixels; ++i) sum += x[i * channels + ch];
        mean[ch] = sum / static_cast<T>(pixels);
        for (int64_t i = 0; i < pixels; ++i) {
          const T d = x[i * channels + ch] - mean[ch];
          squares += d * d;
        }
        variance[ch] = squares / static_cast<T>(pixels);
      }
    }
  }

  // The statistics of groups from those of their channels, which all have as many pixels.
  template <class T>
  static void merge(int64_t groups, int64_t size, T* mean, T* variance) {
    for (int64_t g = 0; g < groups; ++g) {
      double sum = 0;
      T total = 0;
      for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(mean[g * size + i]);
      const T m = static_cast<T>(sum / static_cast<double>(size));
      for (int64_t i = 0; i < size; ++i) {
        const T d = mean[g * size + i] - m;
        total += variance[g * size + i] + d * d;
      }
      mean[g] = m;
      variance[g] = total / static_cast<T>(size);
    }
  }

  float epsilon_;
  bool channels_last_;
  bool grouped_ = false;
  int64_t groups_ = 1;
  bool scale_per_group_ = false;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<InstanceNorm>("InstanceNormalization", 1, {.inputs = 3, .outputs = 1, .layout = layout::image_when_given}),
    entry<InstanceNorm>("GroupNormalization", 18, {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(instance_norm, kEntries)

}  // namespace nm
