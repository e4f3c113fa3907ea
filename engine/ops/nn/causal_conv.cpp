#include <algorithm>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// CausalConvWithState: each channel of [batch, channels, length] through a filter of its own that looks back only.
// What it looks back to before the first element comes in, and goes out, as [batch, channels, k - 1].
class CausalConv final : public Operator {
 public:
  explicit CausalConv(Attributes& a) : activation_(a.string("activation", "none")) {
    if (activation_ != "none" && activation_ != "silu" && activation_ != "swish") {
      a.fail(text("the attribute 'activation' is '", activation_, "'; expected none, silu or swish"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 0, "the input", {DType::Float32, DType::Float16, DType::BFloat16}));
    NM_TRY(common_type(inference, 0, inference.input_count()).take_status());
    output_like(inference, 0, 0);
    inference.output(1, inference.type(0));
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape& in = inference.shape(0);
    const Shape& filter = inference.shape(1);
    if (in.rank() != 3) return wrong_shape("the input", in, "[batch, channels, length]");
    const bool fits = filter.rank() == 3 && (filter[0] < 0 || in[1] < 0 || filter[0] == in[1]) &&
                      (filter[1] < 0 || filter[1] == 1) && filter[2] != 0;
    if (!fits) return wrong_shape("the weights", filter, text("[", in[1], ",1,k]"));
    const Shape state{in[0], in[1], filter[2] < 0 ? kUnknownDim : filter[2] - 1};
    inference.output(1, inference.type(0), state);
    if (inference.has_shape(2) && inference.shape(2).known() && in[1] >= 0 && inference.shape(2) != Shape{in[1]}) {
      return wrong_shape("the bias", inference.shape(2), to_string(Shape{in[1]}));
    }
    if (inference.has_shape(3) && inference.shape(3).known() && state.known() && inference.shape(3) != state) {
      return wrong_shape("the past state", inference.shape(3), to_string(state));
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.dtype() != DType::Float32) return no_arithmetic(in.dtype());
    const int64_t channels = in.dim(1);
    const int64_t length = in.dim(2);
    const int64_t k = execution.input(1).dim(2);
    const int64_t before = k - 1;
    NM_ASSIGN(float* rows, execution.scratch<float>((Size(before) + Size(length)) * thread_pool::size()));
    thread_pool::parallel_for(in.dim(0) * channels, 1, [&](int64_t begin, int64_t end, int thread) {
      float* row = rows + (before + length) * thread;
      for (int64_t i = begin; i < end; ++i) {
        const int64_t channel = i % channels;
        const float* filter = execution.data<float>(1) + channel * k;
        if (execution.has(3)) {
          std::copy_n(execution.data<float>(3) + i * before, before, row);
        } else {
          std::fill_n(row, before, 0.f);
        }
        std::copy_n(in.data<float>() + i * length, length, row + before);
        if (execution.wants(1)) std::copy_n(row + length, before, execution.out<float>(1) + i * before);
        if (!execution.wants(0)) continue;
        float* y = execution.out<float>(0) + i * length;
        std::fill_n(y, length, execution.has(2) ? execution.data<float>(2)[channel] : 0.f);
        for (int64_t j = 0; j < k; ++j) {
          for (int64_t t = 0; t < length; ++t) y[t] += filter[j] * row[t + j];
        }
        if (activation_ != "none") kernels().elementwise.unary(Unary::Silu, y, y, length, 0, 0);
      }
    });
    return {};
  }

  double flops(const Inference& inference) const override {
    return 2 * static_cast<double>(inference.shape(0).count()) * static_cast<double>(inference.shape(1)[2]);
  }

 private:
  std::string activation_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<CausalConv>("CausalConvWithState", 27, {.inputs = 4, .outputs = 2, .layout = layout::opaque}),
};

NM_OPERATORS(causal_conv, kEntries)

}  // namespace nm
