// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss, which is the former after a LogSoftmax over the classes.
#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/shape/indices.h"

namespace nm {
namespace {

// Scores [batch, classes, d...], labels [batch, d...], optional weights [classes].
class CrossEntropy final : public Operator {
 public:
  CrossEntropy(Attributes& a, bool softmax)
      : softmax_(softmax), reduction_(a.string("reduction", "mean")), ignored_(a.integer("ignore_index", 0)) {
    ignores_ = a.has("ignore_index");
    if (reduction_ != "none" && reduction_ != "sum" && reduction_ != "mean") {
      a.fail(text("the attribute 'reduction' is '", reduction_, "'; expected none, sum or mean"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_float(inference, 0, "the scores"));
    NM_TRY(check_type(inference, 1, "the labels", {DType::Int32, DType::Int64}));
    if (inference.has(2) && inference.type(0) != DType::Undefined)
      NM_TRY(check_type(inference, 2, "the weights", {inference.type(0)}));
    const bool scalar = reduction_ != "none";
    inference.output(0, inference.type(0));
    if (scalar) inference.output(0, inference.type(0), Shape{});
    if (softmax_) output_like(inference, 1, 0);
    if (!inference.has_shape(0)) return {};
    const Shape& scores = inference.shape(0);
    if (scores.rank() < 2) return wrong_shape("the scores", scores, "[batch, classes, ...]");
    Shape labels = scores;
    labels.erase(1);
    if (inference.has_shape(1) && !fits(inference.shape(1), labels))
      return wrong_shape("the labels", inference.shape(1), to_string(labels));
    if (inference.has_shape(2) && !fits(inference.shape(2), Shape{scores[1]})) {
      return wrong_shape("the weights", inference.shape(2), to_string(Shape{scores[1]}));
    }
    if (!scalar) inference.output(0, inference.type(0), labels);
    return {};
  }

  Status run(Execution& execution) override {
    return with_float(execution.input(0).dtype(), [&]<class T>() -> Status { return losses<T>(execution); });
  }

 private:
  static bool fits(const Shape& actual, const Shape& expected) {
    bool same = actual.rank() == expected.rank();
    for (int i = 0; same && i < actual.rank(); ++i) {
      same = actual[i] == expected[i] || actual[i] < 0 || expected[i] < 0;
    }
    return same;
  }

  template <class T>
  Status losses(Execution& execution) {
    const Tensor& in = execution.input(0);
    const Indices labels(execution.input(1));
    const T* weights = execution.has(2) ? execution.data<T>(2) : nullptr;
    const T* scores = in.data<T>();
    const int64_t classes = in.dim(1);
    const int64_t inner = in.shape().count(2, in.rank());
    if (softmax_) {
      T* logs = nullptr;
      if (execution.wants(1)) {
        logs = execution.out<T>(1);
      } else {
        NM_ASSIGN(logs, execution.scratch<T>(Size(in.count())));
      }
      log_softmax(scores, logs, labels.count(), classes, inner);
      scores = logs;
    }
    if (!execution.wants(0)) return {};
    T* each = reduction_ == "none" ? execution.out<T>(0) : nullptr;
    double sum = 0;
    double weight_sum = 0;
    for (int64_t i = 0; i < labels.count(); ++i) {
      const int64_t label = labels.raw(i);
      double loss = 0;
      if (!ignores_ || label != ignored_) {
        if (label < 0 || label >= classes) {
          return {Code::InvalidData, text("the label ", label, " is out of range for ", classes, " classes",
                                          ignores_ ? "" : "; name labels to skip by the attribute 'ignore_index'")};
        }
        const double weight = weights ? static_cast<double>(weights[label]) : 1;
        loss = -weight * static_cast<double>(scores[(i / inner * classes + label) * inner + i % inner]);
        weight_sum += weight;
      }
      if (each) each[i] = static_cast<T>(loss);
      sum += loss;
    }
    if (!each) *execution.out<T>(0) = static_cast<T>(reduction_ == "sum" ? sum : sum / weight_sum);
    return {};
  }

  template <class T>
  static void log_softmax(const T* from, T* to, int64_t rows, int64_t classes, int64_t inner) {
    for_rows(rows, classes, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = i / inner * classes * inner + i % inner;
        double top = -HUGE_VAL;
        for (int64_t k = 0; k < classes; ++k) top = std::max(top, static_cast<double>(from[at + k * inner]));
        double sum = 0;
        for (int64_t k = 0; k < classes; ++k) sum += std::exp(static_cast<double>(from[at + k * inner]) - top);
        top += std::log(sum);
        for (int64_t k = 0; k < classes; ++k) {
          to[at + k * inner] = static_cast<T>(static_cast<double>(from[at + k * inner]) - top);
        }
      }
    });
  }

  bool softmax_;
  std::string reduction_;
  bool ignores_;
  int64_t ignored_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<CrossEntropy, false>("NegativeLogLikelihoodLoss", 12, {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
    entry<CrossEntropy, true>("SoftmaxCrossEntropyLoss", 12, {.inputs = 3, .outputs = 2, .layout = layout::opaque}),
};

NM_OPERATORS(cross_entropy, kEntries)

}  // namespace nm
