// com.microsoft's BiasGelu and FastGelu: a GELU after adding a bias to every row.
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class BiasGelu final : public Operator {
 public:
  BiasGelu(Attributes& a, Unary f) : f_(a.function(f, a.op_type())) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, f_ == Unary::Gelu ? 2 : 1));
    NM_TRY(check_type(inference, 0, "the input", {DType::Float32, DType::Float16, DType::BFloat16}));
    NM_TRY(common_type(inference, 0, inference.input_count()).take_status());
    output_like(inference, 0, 0);
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (inference.has(1) && x.rank() == 0) return wrong_shape("the input", x, "at least one dimension");
    if (inference.has_shape(1) && inference.shape(1).known() && x.back() >= 0 &&
        inference.shape(1) != Shape{x.back()}) {
      return wrong_shape("the bias (input 1)", inference.shape(1), to_string(Shape{x.back()}));
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    if (in.dtype() != DType::Float32) return no_arithmetic(in.dtype());
    const int64_t n = in.rank() == 0 ? 1 : in.shape().back();
    if (in.count() == 0) return {};
    const float* bias = execution.has(1) ? execution.data<float>(1) : nullptr;
    const float* x = in.data<float>();
    float* y = execution.out<float>(0);
    const ElementwiseKernels& k = kernels().elementwise;
    for_rows(in.count() / n, n, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * n;
      const float* from = x + at;
      if (bias) {
        k.row_affine(end - begin, n, from, n, nullptr, bias, y + at, n);
        from = y + at;
      }
      k.unary(f_, from, y + at, (end - begin) * n, 0, 0);
    });
    return {};
  }

  bool in_place(size_t i) const override { return i == 0; }
  std::optional<Pointwise> pointwise(const Inference& inference) const override {
    return inference.has(1) ? std::nullopt : std::optional(Pointwise{f_});
  }

 private:
  Unary f_;
};

// A bias is one number for each index of the file's last dimension, wherever that goes.
bool bias_layout(LayoutChange& change) { return change.node.input(1) == kNone && layout::elementwise(change); }

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<BiasGelu, Unary::Gelu>(kMicrosoftDomain, "BiasGelu", 1,
                                    {.inputs = 2, .outputs = 1, .layout = bias_layout}),
    entry_in<BiasGelu, Unary::GeluTanh>(kMicrosoftDomain, "FastGelu", 1,
                                        {.inputs = 2, .outputs = 1, .layout = bias_layout}),
};

NM_OPERATORS(bias_gelu, kEntries)

}  // namespace nm
