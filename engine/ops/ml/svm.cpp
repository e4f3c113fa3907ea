// SVMClassifier and SVMRegressor of ai.onnx.ml, which hold what libsvm trains.
#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/ml/ml_scores.h"

namespace nm {
namespace {

constexpr size_t kMostClasses = 65535;

class SvmOperator : public Operator {
 protected:
  explicit SvmOperator(Attributes& a)
      : coefficients_(a.numbers("coefficients")),
        vectors_(a.numbers("support_vectors")),
        rho_(a.numbers("rho")),
        transform_(read_post_transform(a)) {
    const std::string name = a.string("kernel_type", "LINEAR");
    constexpr std::string_view kNames[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
    const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
    if (found == std::end(kNames)) a.fail(text("the kernel_type '", name, "' is not one of ONNX's"));
    kernel_ = static_cast<Kernel>(found - std::begin(kNames));
    std::vector<float> parameters = a.numbers("kernel_params");
    parameters.resize(3);
    gamma_ = parameters[0];
    offset_ = parameters[1];
    degree_ = parameters[2];
    if (coefficients_.empty() || rho_.empty()) a.fail("the attributes 'coefficients' and 'rho' must not be empty");
  }

  // Splits `numbers` into `rows` vectors; without rows the coefficients are the weights of linear models.
  void set_vectors(Attributes& a, int64_t vectors, size_t linear_models) {
    if (vectors < 0 || static_cast<uint64_t>(vectors) > vectors_.size() ||
        (vectors > 0 && vectors_.size() % static_cast<size_t>(vectors) != 0)) {
      return a.fail(text(vectors_.size(), " numbers cannot be ", vectors, " support vectors"));
    }
    count_ = static_cast<size_t>(vectors);
    features_ = count_ > 0 ? vectors_.size() / count_ : coefficients_.size() / std::max<size_t>(linear_models, 1);
  }

  Status check_row(const Inference& inference, int64_t& rows) const {
    NM_TRY(check_features(inference, rows));
    if (inference.has_shape(0) && inference.shape(0).back() >= 0 &&
        inference.shape(0).back() != static_cast<int64_t>(features_)) {
      return wrong_shape("the input", inference.shape(0), text(features_, " features"));
    }
    return {};
  }

  double dot(const double* x, const float* v) const {
    double sum = 0;
    for (size_t i = 0; i < features_; ++i) sum += x[i] * v[i];
    return sum;
  }
  double similarity(const double* x, const float* v) const {
    switch (kernel_) {
      case Kernel::Linear:
        break;
      case Kernel::Poly:
        return std::pow(gamma_ * dot(x, v) + offset_, degree_);
      case Kernel::Sigmoid:
        return std::tanh(gamma_ * dot(x, v) + offset_);
      case Kernel::Rbf: {
        double distance = 0;
        for (size_t i = 0; i < features_; ++i) distance += (x[i] - v[i]) * (x[i] - v[i]);
        return std::exp(-gamma_ * distance);
      }
    }
    return dot(x, v);
  }
  void all_kernels(const double* x, std::span<double> to) const {
    for (size_t i = 0; i < to.size(); ++i) to[i] = similarity(x, vectors_.data() + i * features_);
  }

  std::vector<float> coefficients_;
  std::vector<float> vectors_;
  std::vector<float> rho_;
  PostTransform transform_;
  size_t count_ = 0;  // of support vectors; 0: a linear model
  size_t features_ = 0;

 private:
  enum class Kernel : uint8_t { Linear, Poly, Rbf, Sigmoid };
  Kernel kernel_ = Kernel::Linear;
  double gamma_ = 0, offset_ = 0, degree_ = 0;
};

// Probabilities of k classes from those of each pair: p[i * k + j] is i's against j. The second method of Wu, Lin and
// Weng, "Probability estimates for multi-class classification by pairwise coupling", as libsvm iterates it.
void couple(size_t k, const std::vector<double>& p, std::span<double> result) {
  std::vector<double> q(k * k);
  std::vector<double> qr(k);
  for (size_t t = 0; t < k; ++t) {
    for (size_t j = 0; j < k; ++j) {
      if (j == t) continue;
      q[t * k + t] += p[j * k + t] * p[j * k + t];
      q[t * k + j] = -p[j * k + t] * p[t * k + j];
    }
  }
  std::fill(result.begin(), result.end(), 1.0 / static_cast<double>(k));
  const double enough = 0.005 / static_cast<double>(k);
  for (size_t round = 0; round < std::max<size_t>(100, k); ++round) {
    double rqr = 0;
    for (size_t t = 0; t < k; ++t) {
      qr[t] = 0;
      for (size_t j = 0; j < k; ++j) qr[t] += q[t * k + j] * result[j];
      rqr += result[t] * qr[t];
    }
    double worst = 0;
    for (const double v : qr) worst = std::max(worst, std::abs(v - rqr));
    if (worst < enough) return;
    for (size_t t = 0; t < k; ++t) {
      const double diagonal = q[t * k + t];
      const double step = (rqr - qr[t]) / diagonal;
      result[t] += step;
      rqr = (rqr + step * (step * diagonal + 2 * qr[t])) / ((1 + step) * (1 + step));
      for (size_t j = 0; j < k; ++j) {
        qr[j] = (qr[j] + step * q[t * k + j]) / (1 + step);
        result[j] /= 1 + step;
      }
    }
  }
}

class SvmClassifier final : public SvmOperator {
 public:
  explicit SvmClassifier(Attributes& a)
      : SvmOperator(a), labels_(a, "classlabels_ints"), prob_a_(a.numbers("prob_a")), prob_b_(a.numbers("prob_b")) {
    const size_t classes = labels_.size();
    if (classes > kMostClasses) {
      a.fail(text("there are ", classes, " classes; at most ", kMostClasses, " work"));
      return;
    }
    int64_t vectors = 0;
    for (const int64_t n : a.integers("vectors_per_class")) {
      if (n < 0 || n > static_cast<int64_t>(vectors_.size())) {
        a.fail(text("there are ", n, " vectors of a class, but only ", vectors_.size(), " numbers for all"));
        return;
      }
      first_.push_back(static_cast<size_t>(vectors));
      vectors += n;
    }
    set_vectors(a, vectors, classes);
    first_.push_back(count_);
    pairs_ = count_ > 0 ? classes * (classes - 1) / 2 : 0;
    if (count_ == 0) return;
    if (first_.size() != classes + 1 || coefficients_.size() < (classes - 1) * count_ || rho_.size() < pairs_ ||
        prob_a_.size() != prob_b_.size() || (!prob_a_.empty() && prob_a_.size() < pairs_)) {
      a.fail(text("vectors_per_class, coefficients, rho, prob_a or prob_b have the wrong length for ", count_,
                  " support vectors and ", classes, " classes"));
    }
  }

  Status infer(Inference& inference) const override {
    int64_t rows = 0;
    NM_TRY(check_row(inference, rows));
    inference.output(0, labels_.dtype(), {rows});
    inference.output(1, DType::Float32, {rows, static_cast<int64_t>(scores_per_row())});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const auto features = static_cast<int64_t>(features_);
    std::vector<double> row(features_);
    std::vector<double> scores(scores_per_row());
    for (int64_t r = 0; r < row_count(x); ++r) {
      read_features(x, r * features, row.data(), features);
      const size_t winner = count_ == 0 ? score_linear(row, scores) : score_pairs(row, scores);
      if (execution.wants(0)) labels_.write(execution.output(0), r, winner);
      if (execution.wants(1)) {
        std::copy(scores.begin(), scores.end(), execution.out<float>(1) + r * static_cast<int64_t>(scores.size()));
      }
    }
    return {};
  }

 private:
  bool probabilities() const { return count_ > 0 && !prob_a_.empty(); }
  // Without probabilities each pair of classes has a score, which one pair shows as two.
  size_t scores_per_row() const {
    const size_t classes = labels_.size();
    return count_ == 0 || probabilities() ? classes : std::max<size_t>(pairs_, 2);
  }

  size_t score_linear(const std::vector<double>& row, std::span<double> scores) const {
    for (size_t i = 0; i < scores.size(); ++i)
      scores[i] = dot(row.data(), coefficients_.data() + i * features_) + rho_[0];
    const auto winner = std::max_element(scores.begin(), scores.end()) - scores.begin();
    transform_scores(transform_, scores);
    return static_cast<size_t>(winner);
  }

  // A pair's score is above zero where its first class wins.
  void decide(const std::vector<double>& row, std::vector<double>& decisions) const {
    std::vector<double> kernels(count_);
    all_kernels(row.data(), kernels);
    const auto add = [&](size_t of, size_t against, double& sum) {
      const float* w = coefficients_.data() + against * count_;
      for (size_t m = first_[of]; m < first_[of + 1]; ++m) sum += w[m] * kernels[m];
    };
    decisions.clear();
    for (size_t i = 0; i < labels_.size(); ++i) {
      for (size_t j = i + 1; j < labels_.size(); ++j) {
        double sum = rho_[decisions.size()];
        add(i, j - 1, sum);
        add(j, i, sum);
        decisions.push_back(sum);
      }
    }
  }

  size_t score_pairs(const std::vector<double>& row, std::span<double> scores) const {
    const size_t classes = labels_.size();
    std::vector<double> decisions;
    decide(row, decisions);
    std::vector<size_t> votes(classes);
    std::vector<double> against(probabilities() ? classes * classes : 0);
    size_t pair = 0;
    for (size_t i = 0; i < classes; ++i) {
      for (size_t j = i + 1; j < classes; ++j, ++pair) {
        ++votes[decisions[pair] > 0 ? i : j];
        if (against.empty()) continue;
        const double p = 1 / (1 + std::exp(prob_a_[pair] * decisions[pair] + prob_b_[pair]));
        against[i * classes + j] = std::clamp(p, 1e-7, 1 - 1e-7);
        against[j * classes + i] = 1 - against[i * classes + j];
      }
    }
    if (!against.empty()) {
      couple(classes, against, scores);
      transform_scores(transform_, scores);
    } else if (pairs_ == 1) {
      expand_binary(transform_, transform_ == PostTransform::None, decisions[0], scores.data());
    } else {
      std::copy(decisions.begin(), decisions.end(), scores.begin());
      transform_scores(transform_, scores);
    }
    return static_cast<size_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
  }

  ClassLabels labels_;
  std::vector<float> prob_a_, prob_b_;
  std::vector<size_t> first_;  // where each class's support vectors begin; the last entry is their number
  size_t pairs_ = 0;
};

class SvmRegressor final : public SvmOperator {
 public:
  explicit SvmRegressor(Attributes& a) : SvmOperator(a), one_class_(a.flag("one_class", false)) {
    set_vectors(a, a.integer("n_supports", 0), 1);
    if (coefficients_.size() < count_) {
      a.fail(text("there are ", coefficients_.size(), " coefficients for ", count_, " support vectors"));
    }
  }

  Status infer(Inference& inference) const override {
    int64_t rows = 0;
    NM_TRY(check_row(inference, rows));
    inference.output(0, DType::Float32, {rows, 1});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const auto features = static_cast<int64_t>(features_);
    std::vector<double> row(features_);
    std::vector<double> kernels(count_);
    for (int64_t r = 0; r < row_count(x); ++r) {
      read_features(x, r * features, row.data(), features);
      double y = rho_[0];
      if (count_ == 0) y += dot(row.data(), coefficients_.data());
      all_kernels(row.data(), kernels);
      for (size_t i = 0; i < count_; ++i) y += coefficients_[i] * kernels[i];
      transform_scores(transform_, {&y, 1});
      execution.out<float>(0)[r] = static_cast<float>(one_class_ ? (y > 0 ? 1 : -1) : y);
    }
    return {};
  }

 private:
  bool one_class_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<SvmClassifier>(kMlDomain, "SVMClassifier", 1, {.inputs = 1, .outputs = 2, .layout = layout::opaque}),
    entry_in<SvmRegressor>(kMlDomain, "SVMRegressor", 1, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(svm, kEntries)

}  // namespace nm
