// Normalizer and Scaler of ai.onnx.ml: rows of features made comparable.
#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/ml_scores.h"

namespace nm {
namespace {

class FeatureRows : public Operator {
 public:
  Status infer(Inference& inference) const override {
    int64_t rows = 0;
    NM_TRY(check_features(inference, rows));
    if (!inference.has_shape(0)) {
      inference.output(0, DType::Float32);
      return {};
    }
    NM_TRY(check_count(inference.shape(0).back()));
    inference.output(0, DType::Float32, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const int64_t features = feature_count(x);
    std::vector<double> row(static_cast<size_t>(features));
    for (int64_t r = 0; r < row_count(x); ++r) {
      read_features(x, r * features, row.data(), features);
      scale(row);
      std::copy(row.begin(), row.end(), execution.out<float>(0) + r * features);
    }
    return {};
  }

 protected:
  virtual Status check_count(int64_t) const { return {}; }
  virtual void scale(std::span<double> row) const = 0;
};

class Normalizer final : public FeatureRows {
 public:
  explicit Normalizer(Attributes& a) : norm_(a.string("norm", "MAX")) {
    if (norm_ != "MAX" && norm_ != "L1" && norm_ != "L2") a.fail(text("the norm '", norm_, "' is not one of ONNX's"));
  }

 protected:
  void scale(std::span<double> row) const override {
    double norm = norm_ == "MAX" && !row.empty() ? row[0] : 0;
    for (const double v : row) {
      norm = norm_ == "MAX" ? std::max(norm, v) : norm + (norm_ == "L1" ? std::abs(v) : v * v);
    }
    if (norm_ == "L2") norm = std::sqrt(norm);
    if (norm == 0) return;
    for (double& v : row) v /= norm;
  }

 private:
  std::string norm_;
};

class Scaler final : public FeatureRows {
 public:
  explicit Scaler(Attributes& a) : offset_(a.numbers("offset")), scale_(a.numbers("scale")) {
    if (offset_.empty()) offset_ = {0};
    if (scale_.empty()) scale_ = {1};
  }

 protected:
  Status check_count(int64_t features) const override {
    const auto fits = [&](const std::vector<float>& list) {
      return list.size() == 1 || features < 0 || static_cast<int64_t>(list.size()) == features;
    };
    if (fits(offset_) && fits(scale_)) return {};
    return {Code::ShapeMismatch, text("the input has ", features, " features, but the scaler has ", offset_.size(),
                                      " offsets and ", scale_.size(), " scales")};
  }
  void scale(std::span<double> row) const override {
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = (row[i] - offset_[offset_.size() == 1 ? 0 : i]) * scale_[scale_.size() == 1 ? 0 : i];
    }
  }

 private:
  std::vector<float> offset_;
  std::vector<float> scale_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<Normalizer>(kMlDomain, "Normalizer", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry_in<Scaler>(kMlDomain, "Scaler", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(feature_scaling, kEntries)

}  // namespace nm
