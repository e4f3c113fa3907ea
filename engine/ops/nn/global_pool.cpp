// GlobalAveragePool, GlobalMaxPool and GlobalLpPool: one number for each channel of each image.
#include <cmath>
#include <limits>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/image/image.h"

namespace nm {
namespace {

enum class GlobalPoolKind : uint8_t { Average, Max, Lp };

class GlobalPool final : public Operator {
 public:
  GlobalPool(Attributes& a, GlobalPoolKind kind) : kind_(kind), layout_(a) {
    if (kind == GlobalPoolKind::Lp) p_ = a.version() < 2 ? a.number("p", 2) : static_cast<float>(a.integer("p", 2));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the image", {DType::Float32, DType::Float64}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 3) return wrong_shape("the image", x, "[batch, channels, spatial…]");
    const Shape ones = Shape::filled(x.rank() - 2, 1);
    inference.output(0, inference.type(0), layout_.shape(x[0], layout_.channels(x), ones.dims()));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    if (execution.output(0).count() == 0) return {};
    if (x.dtype() == DType::Float64) {
      run_any<double>(execution);
    } else if (kind_ == GlobalPoolKind::Lp) {
      run_any<float>(execution);
    } else if (layout_.channels_last()) {
      const PoolKernels& pool = kernels().pool;
      const int64_t channels = layout_.channels(x.shape());
      const auto run = kind_ == GlobalPoolKind::Max ? pool.global_max : pool.global_average;
      run(x.dim(0), layout_.pixels(x.shape()), channels, x.data<float>(), channels, execution.out<float>(0), channels);
    } else {
      run_rows(execution);
    }
    return {};
  }

 private:
  void run_rows(const Execution& execution) const {
    const Tensor& x = execution.input(0);
    const int64_t pixels = layout_.pixels(x.shape());
    const Reduce op = kind_ == GlobalPoolKind::Max ? Reduce::Max : Reduce::Mean;
    const int64_t chunk = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, pixels));
    thread_pool::parallel_for(x.dim(0) * x.dim(1), chunk, [&](int64_t begin, int64_t end, int) {
      kernels().rows.reduce(op, end - begin, pixels, x.data<float>() + begin * pixels, pixels,
                            execution.out<float>(0) + begin);
    });
  }

  template <class T>
  void run_any(const Execution& execution) const {
    const Shape& x = execution.input(0).shape();
    const int64_t channels = layout_.channels(x), pixels = layout_.pixels(x);
    const bool last = layout_.channels_last();
    for (int64_t i = 0; i < x[0] * channels; ++i) {
      const T* from = execution.data<T>(0) + (last ? i / channels * pixels * channels + i % channels : i * pixels);
      double sum = 0, most = -std::numeric_limits<double>::infinity();
      for (int64_t k = 0; k < pixels; ++k) {
        const auto v = static_cast<double>(from[k * (last ? channels : 1)]);
        sum += kind_ == GlobalPoolKind::Lp ? std::pow(std::abs(v), static_cast<double>(p_)) : v;
        most = v > most || v != v ? v : most;
      }
      if (kind_ == GlobalPoolKind::Average) sum /= static_cast<double>(pixels);
      if (kind_ == GlobalPoolKind::Lp) sum = std::pow(sum, 1.0 / static_cast<double>(p_));
      execution.out<T>(0)[i] = static_cast<T>(kind_ == GlobalPoolKind::Max ? most : sum);
    }
  }

  GlobalPoolKind kind_;
  ImageLayout layout_;
  float p_ = 2;
};

}  // namespace

constexpr Facts kPool = {.inputs = 1, .outputs = 1, .layout = layout::image_when_given};

constexpr OperatorEntry kEntries[] = {
    entry<GlobalPool, GlobalPoolKind::Average>("GlobalAveragePool", 1, kPool),
    entry<GlobalPool, GlobalPoolKind::Max>("GlobalMaxPool", 1, kPool),
    entry<GlobalPool, GlobalPoolKind::Lp>("GlobalLpPool", 1, kPool),
};

NM_OPERATORS(global_pool, kEntries)

}  // namespace nm
