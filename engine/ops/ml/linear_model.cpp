// LinearClassifier and LinearRegressor of ai.onnx.ml.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/ml_scores.h"

namespace nm {
namespace {

class LinearModel : public Operator {
 protected:
  explicit LinearModel(Attributes& a)
      : coefficients_(a.numbers("coefficients")),
        intercepts_(a.numbers("intercepts")),
        transform_(read_post_transform(a)) {}

  Status check_columns(const Inference& inference, int64_t columns, int64_t& rows) const {
    NM_TRY(check_features(inference, rows));
    if (!inference.has_shape(0) || inference.shape(0).back() < 0) return {};
    // More coefficients than features is what a wrongly declared input looks like (skl2onnx once wrote such files);
    // onnxruntime then takes the leading ones, and so do we.
    if (inference.shape(0).back() * columns > static_cast<int64_t>(coefficients_.size())) {
      return wrong_shape(
          "the input", inference.shape(0),
          text("at most ", static_cast<int64_t>(coefficients_.size()) / std::max<int64_t>(columns, 1), " features"));
    }
    return {};
  }

  double score(std::span<const double> row, size_t column) const {
    const float* w = coefficients_.data() + column * row.size();
    double sum = column < intercepts_.size() ? intercepts_[column] : 0;
    for (size_t i = 0; i < row.size(); ++i) sum += w[i] * row[i];
    return sum;
  }

  std::vector<float> coefficients_;
  std::vector<float> intercepts_;
  PostTransform transform_;
};

class LinearClassifier final : public LinearModel {
 public:
  explicit LinearClassifier(Attributes& a) : LinearModel(a), labels_(a, "classlabels_ints") {
    a.ignore({"multi_class"});  // says how the model was trained
    columns_ = intercepts_.empty() ? labels_.size() : intercepts_.size();
    const bool one_for_two = labels_.size() == 2 && columns_ == 1;
    if (columns_ != labels_.size() && !one_for_two) {
      a.fail(text("there are ", columns_, " intercepts for ", labels_.size(), " classes"));
    }
  }

  Status infer(Inference& inference) const override {
    int64_t rows = 0;
    NM_TRY(check_columns(inference, static_cast<int64_t>(columns_), rows));
    inference.output(0, labels_.dtype(), {rows});
    inference.output(1, DType::Float32, {rows, static_cast<int64_t>(labels_.size())});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const int64_t features = feature_count(x);
    std::vector<double> row(static_cast<size_t>(features));
    std::vector<double> scores(labels_.size());
    for (int64_t r = 0; r < row_count(x); ++r) {
      read_features(x, r * features, row.data(), features);
      size_t winner = 0;
      if (columns_ < labels_.size()) {
        const double only = score(row, 0);
        winner = only > 0 ? 1 : 0;
        expand_binary(transform_, false, only, scores.data());
      } else {
        for (size_t i = 0; i < columns_; ++i) scores[i] = score(row, i);
        winner = static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
        transform_scores(transform_, scores);
      }
      if (execution.wants(0)) labels_.write(execution.output(0), r, winner);
      if (execution.wants(1))
        std::copy(scores.begin(), scores.end(), execution.out<float>(1) + r * static_cast<int64_t>(scores.size()));
    }
    return {};
  }

 private:
  ClassLabels labels_;
  size_t columns_ = 0;
};

class LinearRegressor final : public LinearModel {
 public:
  explicit LinearRegressor(Attributes& a) : LinearModel(a), targets_(a.integer("targets", 1)) {
    if (targets_ < 1 || targets_ > (1 << 20)) a.fail("targets is out of range");
  }

  Status infer(Inference& inference) const override {
    int64_t rows = 0;
    NM_TRY(check_columns(inference, targets_, rows));
    inference.output(0, DType::Float32, {rows, targets_});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const int64_t features = feature_count(x);
    std::vector<double> row(static_cast<size_t>(features));
    std::vector<double> y(static_cast<size_t>(targets_));
    for (int64_t r = 0; r < row_count(x); ++r) {
      read_features(x, r * features, row.data(), features);
      for (size_t t = 0; t < y.size(); ++t) y[t] = score(row, t);
      transform_scores(transform_, y);
      std::copy(y.begin(), y.end(), execution.out<float>(0) + r * targets_);
    }
    return {};
  }

 private:
  int64_t targets_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<LinearClassifier>(kMlDomain, "LinearClassifier", 1, {.inputs = 1, .outputs = 2, .layout = layout::opaque}),
    entry_in<LinearRegressor>(kMlDomain, "LinearRegressor", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(linear_model, kEntries)

}  // namespace nm
