// Decision trees of ai.onnx.ml: as scikit-learn's, XGBoost's and LightGBM's exporters write them, and since version 5
// of the domain in one operator for all.
#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/ml_scores.h"
#include "engine/ops/ml/tree_forest.h"

namespace nm {
namespace {

constexpr int64_t kMostTargets = 1 << 20;

class TreeOperator : public Operator {
 protected:
  static int64_t check_targets(Attributes& a, int64_t targets) {
    if (targets >= 1 && targets <= kMostTargets) return targets;
    a.fail(text("there are ", targets, " targets; between 1 and ", kMostTargets, " are possible"));
    return 1;
  }

  Status check_row(const Inference& inference, int64_t& rows) const {
    NM_TRY(check_features(inference, rows));
    if (inference.has_shape(0) && inference.shape(0).back() >= 0 && inference.shape(0).back() < forest_.features()) {
      return wrong_shape("the input", inference.shape(0), text("at least ", forest_.features(), " features"));
    }
    return {};
  }

  // Calls finish(row, scores) for each row, from several threads.
  template <class Finish>
  Status for_scores(Execution& execution, Aggregate how, int64_t targets, Finish finish) const {
    const Tensor& x = execution.input(0);
    const int64_t features = feature_count(x);
    // Rows pass through the trees in blocks that fit the first-level cache.
    const int64_t block = std::clamp<int64_t>(2048 / std::max<int64_t>(std::max(features, targets), 1), 1, 64);
    const int64_t per_thread = block * (features + targets);
    NM_ASSIGN(double* scratch, execution.scratch<double>(Size(per_thread) * thread_pool::size()));
    thread_pool::parallel_for(row_count(x), block, [&](int64_t begin, int64_t end, int thread) {
      double* rows = scratch + per_thread * thread;
      double* scores = rows + block * features;
      read_features(x, begin * features, rows, (end - begin) * features);
      forest_.score(rows, end - begin, features, how, scores, targets);
      for (int64_t r = begin; r < end; ++r) finish(r, scores + (r - begin) * targets);
    });
    return {};
  }

  Forest forest_;
};

class Classifier final : public TreeOperator {
 public:
  explicit Classifier(Attributes& a)
      : labels_(a, "classlabels_int64s"),
        base_(numbers_or_tensor(a, "base_values")),
        transform_(read_post_transform(a)) {
    check_targets(a, static_cast<int64_t>(labels_.size()));
    forest_ = Forest::from_ids(a, "class", static_cast<int64_t>(labels_.size()));
    const auto& votes = forest_.votes();
    one_column_ = labels_.size() == 2 && !votes.empty() && base_.size() < 2 &&
                  std::all_of(votes.begin(), votes.end(), [](const Forest::Vote& v) { return v.target == 0; });
    positive_ = std::all_of(votes.begin(), votes.end(), [](const Forest::Vote& v) { return v.weight >= 0; });
    if (!base_.empty() && base_.size() != labels_.size() && !(labels_.size() == 2 && base_.size() == 1)) {
      a.fail(text("there are ", base_.size(), " base values for ", labels_.size(), " classes"));
    }
  }

  Status infer(Inference& inference) const override {
    int64_t rows = 0;
    NM_TRY(check_row(inference, rows));
    inference.output(0, labels_.dtype(), {rows});
    inference.output(1, DType::Float32, {rows, static_cast<int64_t>(labels_.size())});
    return {};
  }

  Status run(Execution& execution) override {
    const auto classes = static_cast<int64_t>(labels_.size());
    const int64_t rows = row_count(execution.input(0));
    NM_ASSIGN(size_t * winners, execution.scratch<size_t>(Size(rows)));
    NM_TRY(for_scores(execution, Aggregate::Sum, classes, [&](int64_t row, double* scores) {
      size_t& winner = winners[row];
      std::span<double> list(scores, static_cast<size_t>(classes));
      if (one_column_) {
        const double score = scores[0] + (base_.empty() ? 0 : base_[0]);
        winner = score > (positive_ ? 0.5 : 0) ? 1 : 0;
        expand_binary(transform_, !positive_, score, scores);
      } else {
        for (size_t i = 0; i < base_.size(); ++i) scores[i] += base_[i];
        winner = static_cast<size_t>(std::max_element(list.begin(), list.end()) - list.begin());
        transform_scores(transform_, list);
      }
      if (execution.wants(1)) std::copy(list.begin(), list.end(), execution.out<float>(1) + row * classes);
    }));
    // Texts need memory, for which other threads must not ask.
    for (int64_t r = 0; execution.wants(0) && r < rows; ++r) labels_.write(execution.output(0), r, winners[r]);
    return {};
  }

 private:
  ClassLabels labels_;
  std::vector<double> base_;
  PostTransform transform_;
  // All votes go to the first of two classes, as exporters of boosted trees have it: they mean the second one.
  bool one_column_ = false;
  bool positive_ = false;  // votes are probabilities, not margins
};

class Regressor final : public TreeOperator {
 public:
  // `numbered`: TreeEnsemble, whose choices are numbers; otherwise TreeEnsembleRegressor, which names them.
  explicit Regressor(Attributes& a, bool numbered)
      : numbered_(numbered),
        targets_(check_targets(a, a.integer("n_targets", 1))),
        transform_(numbered ? numbered_post_transform(a) : read_post_transform(a)) {
    constexpr std::string_view kNames[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    int64_t how = 1;
    if (numbered) {
      how = a.integer("aggregate_function", 1);
    } else {
      how = std::find(std::begin(kNames), std::end(kNames), a.string("aggregate_function", "SUM")) - kNames;
    }
    if (how < 0 || how > 3) a.fail("the aggregate_function is not one of ONNX's");
    how_ = static_cast<Aggregate>(how);
    forest_ = numbered ? Forest::from_positions(a, targets_) : Forest::from_ids(a, "target", targets_);
    if (numbered) return;
    base_ = numbers_or_tensor(a, "base_values");
    if (!base_.empty() && static_cast<int64_t>(base_.size()) != targets_) {
      a.fail(text("there are ", base_.size(), " base values for ", targets_, " targets"));
    }
  }

  Status infer(Inference& inference) const override {
    int64_t rows = 0;
    NM_TRY(check_row(inference, rows));
    inference.output(0, numbered_ ? inference.type(0) : DType::Float32, {rows, targets_});
    return {};
  }

  Status run(Execution& execution) override {
    return for_scores(execution, how_, targets_, [&](int64_t row, double* scores) {
      for (size_t t = 0; t < base_.size(); ++t) scores[t] += base_[t];
      transform_scores(transform_, {scores, static_cast<size_t>(targets_)});
      Tensor& out = execution.output(0);
      if (out.dtype() == DType::Float64) {
        std::copy_n(scores, targets_, out.data<double>() + row * targets_);
      } else {
        std::copy_n(scores, targets_, out.data<float>() + row * targets_);
      }
    });
  }

 private:
  bool numbered_;
  int64_t targets_;
  PostTransform transform_;
  Aggregate how_ = Aggregate::Sum;
  std::vector<double> base_;
};

}  // namespace

constexpr AttributeRange kTreeEnsembleClassifierAttributes[] = {
    {"base_values_as_tensor", 3}, {"class_weights_as_tensor", 3}, {"nodes_values_as_tensor", 3}};
constexpr AttributeRange kTreeEnsembleRegressorAttributes[] = {
    {"base_values_as_tensor", 3}, {"nodes_values_as_tensor", 3}, {"target_weights_as_tensor", 3}};

constexpr OperatorEntry kEntries[] = {
    entry_in<Classifier>(
        kMlDomain, "TreeEnsembleClassifier", 1,
        {.inputs = 1, .outputs = 2, .layout = layout::opaque, .attributes = kTreeEnsembleClassifierAttributes}),
    entry_in<Regressor, false>(
        kMlDomain, "TreeEnsembleRegressor", 1,
        {.inputs = 1, .outputs = 1, .layout = layout::opaque, .attributes = kTreeEnsembleRegressorAttributes}),
    entry_in<Regressor, true>(kMlDomain, "TreeEnsemble", 5, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(tree_ensemble, kEntries)

}  // namespace nm
