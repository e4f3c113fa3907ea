#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/dictionary.h"
#include "engine/ops/ml/ml_scores.h"

namespace nm {
namespace {

// ai.onnx.ml's: a new last dimension holds a 1 where the element's category stands.
class OneHotEncoder final : public Operator {
 public:
  explicit OneHotEncoder(Attributes& a)
      : categories_(a.has("cats_strings") ? list_tensor(a, a.strings("cats_strings"))
                                          : list_tensor(a, a.integers("cats_int64s"))),
        zeros_(a.flag("zeros", true)) {
    if (categories_.size() == 0) a.fail("the operator has no categories");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    if (categories_.dtype() == DType::String) {
      NM_TRY(check_type(inference, 0, "the input", {DType::String}));
    } else {
      NM_TRY(check_type(inference, 0, "the input", {DType::Int64, DType::Int32, DType::Float32, DType::Float64}));
    }
    inference.output(0, DType::Float32);
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    if (out.rank() == kMaxRank) return wrong_shape("the input", out, "fewer dimensions");
    out.push_back(categories_.size());
    inference.output(0, DType::Float32, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    NM_ASSIGN(int64_t * positions, execution.scratch<int64_t>(Size(in.count())));
    if (in.dtype() == categories_.dtype()) {
      categories_.find(in, positions);
    } else {
      NM_ASSIGN(double* wide, execution.scratch<double>(Size(in.count())));
      read_features(in, 0, wide, in.count());
      for (int64_t i = 0; i < in.count(); ++i) positions[i] = to_integer(wide[i]);
      categories_.find(Tensor::view(DType::Int64, in.shape(), positions), positions);
    }
    std::fill_n(execution.out<float>(0), execution.output(0).count(), 0.0f);
    for (int64_t i = 0; i < in.count(); ++i) {
      if (positions[i] >= 0) {
        execution.out<float>(0)[i * categories_.size() + positions[i]] = 1;
      } else if (!zeros_) {
        return {Code::InvalidData, text("element ", i, " is none of the ", categories_.size(),
                                        " categories; give only those, or export the encoder to ignore unknown ones")};
      }
    }
    return {};
  }

 private:
  Dictionary categories_;
  bool zeros_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<OneHotEncoder>(kMlDomain, "OneHotEncoder", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(one_hot_encoder, kEntries)

}  // namespace nm
