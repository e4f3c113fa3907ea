#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

// ai.onnx.ml's: columns of the last axis by their numbers.
class ArrayFeatureExtractor final : public Movement {
 public:
  explicit ArrayFeatureExtractor(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 1, "the column numbers", {DType::Int64}));
    const DType t = inference.type(0);
    if (t != DType::Undefined && is_packed(t)) return wrong_type("the input", t, "elements of whole bytes");
    inference.output(0, t);
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    if (out.rank() == 0) return wrong_shape("the input", out, "at least one dimension");
    if (out.rank() == 1) out = {1, out[0]};  // as onnxruntime has it
    out[out.rank() - 1] =
        inference.has_shape(1) && inference.shape(1).known() ? inference.shape(1).count() : kUnknownDim;
    inference.output(0, t, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const int64_t columns = x.shape().back();
    const int64_t wanted = execution.input(1).count();
    const int64_t* which = execution.data<int64_t>(1);
    for (int64_t i = 0; i < wanted; ++i) {
      if (which[i] < 0 || which[i] >= columns) {
        return {Code::InvalidData, text("the column ", which[i], " is not one of the input's ", columns)};
      }
    }
    with_element(x.dtype(), [&]<class T>() {
      const T* from = static_cast<const T*>(x.raw());
      T* to = static_cast<T*>(execution.output(0).raw());
      for (int64_t left = x.count(); left > 0; left -= columns, from += columns) {
        for (int64_t i = 0; i < wanted; ++i) *to++ = from[which[i]];
      }
    });
    return {};
  }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<ArrayFeatureExtractor>(kMlDomain, "ArrayFeatureExtractor", 1,
                                    {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(array_feature_extractor, kEntries)

}  // namespace nm
