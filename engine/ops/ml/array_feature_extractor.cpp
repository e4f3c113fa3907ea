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

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 2));
    NM_TRY(check_type(c, 1, "the column numbers", {DType::Int64}));
    const DType t = c.type(0);
    if (t != DType::Undefined && is_packed(t)) return wrong_type("the input", t, "elements of whole bytes");
    c.output(0, t);
    if (!c.has_shape(0)) return {};
    Shape out = c.shape(0);
    if (out.rank() == 0) return wrong_shape("the input", out, "at least one dimension");
    if (out.rank() == 1) out = {1, out[0]};  // as onnxruntime has it
    out[out.rank() - 1] = c.has_shape(1) && c.shape(1).known() ? c.shape(1).count() : kUnknownDim;
    c.output(0, t, out);
    return {};
  }

  Status run(Execution& c) override {
    const Tensor& x = c.input(0);
    const int64_t columns = x.shape().back();
    const int64_t wanted = c.input(1).count();
    const int64_t* which = c.data<int64_t>(1);
    for (int64_t i = 0; i < wanted; ++i) {
      if (which[i] < 0 || which[i] >= columns) {
        return {Code::InvalidData, text("the column ", which[i], " is not one of the input's ", columns)};
      }
    }
    with_element(x.dtype(), [&]<class T>() {
      const T* from = static_cast<const T*>(x.raw());
      T* to = static_cast<T*>(c.output(0).raw());
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
