// What ai.onnx.ml's models share: rows of features, class labels, and the transformation of raw scores.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "engine/op/operator.h"

namespace nm {

enum class PostTransform : uint8_t { None, Logistic, Softmax, SoftmaxZero, Probit };

PostTransform read_post_transform(Attributes& a);
// TreeEnsemble's, which is a number.
PostTransform numbered_post_transform(Attributes& a);
// In place over one row.
void transform_scores(PostTransform transform, std::span<double> scores);

// classlabels_strings or classlabels_ints (`integers` names that attribute): one of them has entries.
struct ClassLabels {
  std::vector<std::string> strings;
  std::vector<int64_t> integers;

  ClassLabels() = default;
  ClassLabels(Attributes& a, std::string_view integers_name);
  size_t size() const { return strings.empty() ? integers.size() : strings.size(); }
  DType dtype() const { return strings.empty() ? DType::Int64 : DType::String; }
  // Writes label `which` as element `row` of the output tensor.
  void write(Tensor& out, int64_t row, size_t which) const;
};

// Two scores from the one that a model has for two classes. The standard leaves them open; these are onnxruntime's.
// LOGISTIC and PROBIT transform the score, others leave it; `margin`: then -score and score, not 1 - score and score.
void expand_binary(PostTransform transform, bool margin, double score, double* two);

// Input i as [rows, features] of float32, float64, int64 or int32; a single row may lack its first dimension.
Status check_features(const Inference& inference, int64_t& rows, size_t i = 0);
// `count` elements from `first` on.
void read_features(const Tensor& x, int64_t first, double* to, int64_t count);
int64_t feature_count(const Tensor& x);
int64_t row_count(const Tensor& x);

}  // namespace nm
