#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/ml_scores.h"

namespace nm {
namespace {

// ai.onnx.ml's: the columns of all inputs side by side, as floats. An input narrower than declared is filled up with
// zeros, a wider one cut.
class FeatureVectorizer final : public Operator {
 public:
  explicit FeatureVectorizer(Attributes& a) : widths_(a.integers("inputdimensions")) {
    for (const int64_t w : widths_) {
      if (w < 0 || w > INT32_MAX) a.fail("inputdimensions is out of range");
    }
    if (!widths_.empty() && widths_.size() != a.input_count()) {
      a.fail(text("inputdimensions has ", widths_.size(), " entries for ", a.input_count(), " inputs"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, std::max<size_t>(inference.input_count(), 1)));
    int64_t rows = kUnknownDim;
    int64_t width = 0;
    for (size_t i = 0; i < inference.input_count(); ++i) {
      int64_t own = kUnknownDim;
      NM_TRY(check_features(inference, own, i));
      if (own >= 0 && rows >= 0 && own != rows) {
        return {Code::ShapeMismatch, text("input ", i, " has ", own, " rows, but those before have ", rows)};
      }
      if (own != kUnknownDim) rows = own;
      int64_t w = !widths_.empty() ? widths_[i] : inference.has_shape(i) ? inference.shape(i).back() : kUnknownDim;
      width = w < 0 || width < 0 ? kUnknownDim : width + w;
    }
    inference.output(0, DType::Float32, {rows, width});
    return {};
  }

  Status run(Execution& execution) override {
    const int64_t width = execution.output(0).dim(1);
    std::vector<double> row;
    int64_t column = 0;
    for (size_t i = 0; i < execution.input_count(); ++i) {
      const Tensor& x = execution.input(i);
      const int64_t features = feature_count(x);
      row.assign(static_cast<size_t>(widths_.empty() ? features : widths_[i]), 0);
      for (int64_t r = 0; r < row_count(x); ++r) {
        read_features(x, r * features, row.data(), std::min(features, static_cast<int64_t>(row.size())));
        std::copy(row.begin(), row.end(), execution.out<float>(0) + r * width + column);
      }
      column += static_cast<int64_t>(row.size());
    }
    return {};
  }

 private:
  std::vector<int64_t> widths_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<FeatureVectorizer>(kMlDomain, "FeatureVectorizer", 1,
                                {.inputs = kAny, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(feature_vectorizer, kEntries)

}  // namespace nm
