#include "engine/ops/ml/ml_scores.h"

#include <algorithm>
#include <cmath>

#include "engine/op/check.h"

namespace nm {
namespace {

double logistic(double x) {
  const double e = 1 / (1 + std::exp(-std::abs(x)));
  return x < 0 ? 1 - e : e;
}

// The inverse of the normal distribution's cumulative function, by Winitzki's approximation of the inverse error
// function, which the reference implementations use too.
double probit(double p) {
  const double x = 2 * p - 1;
  const double sign = x < 0 ? -1.0 : 1.0;
  const double log = std::log((1 - x) * (1 + x));
  const double v = 2 / (3.14159 * 0.147) + 0.5 * log;
  return 1.41421356 * sign * std::sqrt(-v + std::sqrt(v * v - log / 0.147));
}

}  // namespace

PostTransform read_post_transform(Attributes& a) {
  const std::string name = a.string("post_transform", "NONE");
  constexpr std::string_view kNames[] = {"NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"};
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) a.fail(text("the post_transform '", name, "' is not one of ONNX's"));
  return static_cast<PostTransform>(found - std::begin(kNames));
}

PostTransform numbered_post_transform(Attributes& a) {
  constexpr PostTransform kNumbers[] = {PostTransform::None, PostTransform::Softmax, PostTransform::Logistic,
                                        PostTransform::SoftmaxZero, PostTransform::Probit};
  const int64_t number = a.integer("post_transform", 0);
  if (number >= 0 && number <= 4) return kNumbers[number];
  a.fail(text("the post_transform ", number, " is not one of ONNX's"));
  return PostTransform::None;
}

void transform_scores(PostTransform transform, std::span<double> scores) {
  switch (transform) {
    case PostTransform::None:
      return;
    case PostTransform::Logistic:
      for (double& s : scores) s = logistic(s);
      return;
    case PostTransform::Probit:
      for (double& s : scores) s = probit(s);
      return;
    case PostTransform::Softmax:
    case PostTransform::SoftmaxZero: {
      if (scores.empty()) return;
      const double most = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double& s : scores) {
        // SOFTMAX_ZERO leaves scores of zero out.
        if (transform == PostTransform::SoftmaxZero && std::abs(s) < 1e-7) {
          s = 0;
          continue;
        }
        s = std::exp(s - most);
        sum += s;
      }
      for (double& s : scores) s = sum > 0 ? s / sum : s;
      return;
    }
  }
}

ClassLabels::ClassLabels(Attributes& a, std::string_view integers_name)
    : strings(a.strings("classlabels_strings")), integers(a.integers(integers_name)) {
  if (strings.empty() && integers.empty()) a.fail("the model has no class labels");
}

void ClassLabels::write(Tensor& out, int64_t row, size_t which) const {
  if (strings.empty()) {
    out.data<int64_t>()[row] = integers[which];
  } else {
    out.data<std::string>()[row] = strings[which];
  }
}

void expand_binary(PostTransform transform, bool margin, double score, double* two) {
  if (transform == PostTransform::Probit) {
    two[0] = two[1] = probit(score);
    return;
  }
  const bool probability = transform == PostTransform::Logistic;
  two[1] = probability ? logistic(score) : score;
  two[0] = margin && !probability ? -two[1] : 1 - two[1];
}

Status check_features(const Inference& inference, int64_t& rows, size_t i) {
  NM_TRY(check_tensors(inference, i + 1));
  const std::string what = i == 0 ? "the input" : text("input ", i);
  NM_TRY(check_type(inference, i, what, {DType::Float32, DType::Float64, DType::Int64, DType::Int32}));
  rows = kUnknownDim;
  if (!inference.has_shape(i)) return {};
  const Shape& x = inference.shape(i);
  if (x.rank() != 1 && x.rank() != 2) return wrong_shape(what, x, "[rows, features]");
  rows = x.rank() == 1 ? 1 : x[0];
  return {};
}

int64_t row_count(const Tensor& x) { return x.rank() == 1 ? 1 : x.dim(0); }
int64_t feature_count(const Tensor& x) { return x.shape().back(); }

void read_features(const Tensor& x, int64_t first, double* to, int64_t count) {
  const auto widen = [=]<class T>(const T* from) { std::copy_n(from + first, count, to); };
  switch (x.dtype()) {
    case DType::Float64:
      return widen(x.data<double>());
    case DType::Int64:
      return widen(x.data<int64_t>());
    case DType::Int32:
      return widen(x.data<int32_t>());
    default:
      return widen(x.data<float>());
  }
}

}  // namespace nm
