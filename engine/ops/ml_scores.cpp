#include "engine/ops/ml_scores.h"

#include <algorithm>
#include <cmath>

#include "engine/ops/check.h"

namespace nm {
namespace {

float logistic(float x) {
  const float e = 1 / (1 + std::exp(-std::abs(x)));
  return x < 0 ? 1 - e : e;
}

// The inverse of the normal distribution's cumulative function, by Winitzki's approximation of the inverse error
// function, which the reference implementations use too.
float probit(float p) {
  const float x = 2 * p - 1;
  const float sign = x < 0 ? -1.0f : 1.0f;
  const float log = std::log((1 - x) * (1 + x));
  const float v = 2 / (3.14159f * 0.147f) + 0.5f * log;
  return 1.41421356f * sign * std::sqrt(-v + std::sqrt(v * v - log / 0.147f));
}

template <class T>
void widen(const Tensor& x, int64_t row, std::span<float> features) {
  const T* from = x.data<T>() + row * static_cast<int64_t>(features.size());
  for (size_t i = 0; i < features.size(); ++i) features[i] = static_cast<float>(from[i]);
}

}  // namespace

PostTransform read_post_transform(Attributes& a) {
  const std::string name = a.string("post_transform", "NONE");
  constexpr std::string_view kNames[] = {"NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"};
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) a.fail(text("the post_transform '", name, "' is not one of ONNX's"));
  return static_cast<PostTransform>(found - std::begin(kNames));
}

void transform_scores(PostTransform transform, std::span<float> scores) {
  switch (transform) {
    case PostTransform::None:
      return;
    case PostTransform::Logistic:
      for (float& s : scores) s = logistic(s);
      return;
    case PostTransform::Probit:
      for (float& s : scores) s = probit(s);
      return;
    case PostTransform::Softmax:
    case PostTransform::SoftmaxZero: {
      if (scores.empty()) return;
      const float most = *std::max_element(scores.begin(), scores.end());
      float sum = 0;
      for (float& s : scores) {
        // SOFTMAX_ZERO leaves scores of zero out.
        if (transform == PostTransform::SoftmaxZero && std::abs(s) < 1e-7f) {
          s = 0;
          continue;
        }
        s = std::exp(s - most);
        sum += s;
      }
      for (float& s : scores) s = sum > 0 ? s / sum : s;
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

size_t expand_binary(PostTransform transform, bool positive, float score, float* two) {
  if (transform == PostTransform::Probit) {
    two[0] = two[1] = probit(score);
  } else if (positive) {
    two[0] = 1 - score;
    two[1] = score;
  } else if (transform == PostTransform::Logistic) {
    two[0] = logistic(-score);
    two[1] = logistic(score);
  } else {
    two[0] = -score;
    two[1] = score;
  }
  return score > (positive ? 0.5f : 0.0f) ? 1 : 0;
}

Status check_features(const Inference& c, int64_t& rows) {
  NM_TRY(check_tensors(c, 1));
  NM_TRY(check_type(c, 0, "the input", {DType::Float32, DType::Float64, DType::Int64, DType::Int32}));
  rows = kUnknownDim;
  if (!c.has_shape(0)) return {};
  const Shape& x = c.shape(0);
  if (x.rank() != 1 && x.rank() != 2) return wrong_shape("the input", x, "[rows, features]");
  rows = x.rank() == 1 ? 1 : x[0];
  return {};
}

int64_t row_count(const Tensor& x) { return x.rank() == 1 ? 1 : x.dim(0); }
int64_t feature_count(const Tensor& x) { return x.shape().back(); }

void read_features(const Tensor& x, int64_t row, std::span<float> features) {
  switch (x.dtype()) {
    case DType::Float64:
      return widen<double>(x, row, features);
    case DType::Int64:
      return widen<int64_t>(x, row, features);
    case DType::Int32:
      return widen<int32_t>(x, row, features);
    default:
      return widen<float>(x, row, features);
  }
}

}  // namespace nm
