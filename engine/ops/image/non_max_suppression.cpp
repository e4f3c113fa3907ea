#include <algorithm>
#include <vector>

#include "engine/base/sort_positions.h"
#include "engine/op/check.h"
#include "engine/op/operator.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

struct Box {
  float y1, x1, y2, x2;
  float area() const { return (y2 - y1) * (x2 - x1); }
};

float overlap(const Box& a, const Box& b) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0) return 0;
  const float shared = height * width;
  const float all = a.area() + b.area() - shared;
  return all > 0 ? shared / all : 0;
}

class NonMaxSuppression final : public Operator {
 public:
  explicit NonMaxSuppression(Attributes& a) : centred_(a.flag("center_point_box", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 0, "the boxes", {DType::Float32, DType::Float16}));
    NM_TRY(check_type(inference, 1, "the scores", {DType::Float32, DType::Float16}));
    NM_TRY(check_type(inference, 2, "the number of boxes", {DType::Int64}));
    NM_TRY(check_type(inference, 3, "the overlap threshold", {DType::Float32, DType::Float16}));
    NM_TRY(check_type(inference, 4, "the score threshold", {DType::Float32, DType::Float16}));
    for (size_t i = 2; i < 5; ++i) NM_TRY(check_scalar(inference, i, text("input ", i)));
    inference.output(0, DType::Int64, Shape{kUnknownDim, 3});
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape& boxes = inference.shape(0);
    const Shape& scores = inference.shape(1);
    if (boxes.rank() != 3 || (boxes[2] >= 0 && boxes[2] != 4))
      return wrong_shape("the boxes", boxes, "[batch, boxes, 4]");
    const auto differs = [](int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; };
    if (scores.rank() != 3 || differs(scores[0], boxes[0]) || differs(scores[2], boxes[1])) {
      return wrong_shape("the scores", scores, "[batch, classes, boxes], as many as there are boxes");
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& scores = execution.input(1);
    for (const size_t i : {0, 1, 3, 4}) {
      if (execution.has(i) && execution.input(i).dtype() != DType::Float32)
        return wrong_type(text("input ", i), execution.input(i).dtype(), "float32");
    }
    const int64_t batches = scores.dim(0);
    const int64_t classes = scores.dim(1);
    const int64_t count = scores.dim(2);
    const int64_t most = execution.has(2) ? std::min(*execution.data<int64_t>(2), count) : 0;
    const float limit = execution.has(3) ? *execution.data<float>(3) : 0;
    const bool has_least = execution.has(4);
    const float least = has_least ? *execution.data<float>(4) : 0;
    std::vector<int64_t> found;  // triples
    std::vector<Box> boxes(static_cast<size_t>(count));
    std::vector<int64_t> order;
    std::vector<Box> kept;
    for (int64_t b = 0; b < batches && most > 0; ++b) {
      for (int64_t i = 0; i < count; ++i)
        boxes[static_cast<size_t>(i)] = box(execution.data<float>(0) + (b * count + i) * 4);
      for (int64_t k = 0; k < classes; ++k) {
        const float* score = scores.data<float>() + (b * classes + k) * count;
        order.clear();
        for (int64_t i = 0; i < count; ++i) {
          if (has_least ? score[i] > least : score[i] == score[i]) order.push_back(i);
        }
        sort_positions(order, [score](int64_t l, int64_t r) { return score[l] > score[r]; });
        kept.clear();
        for (const int64_t i : order) {
          if (static_cast<int64_t>(kept.size()) == most) break;
          const Box& candidate = boxes[static_cast<size_t>(i)];
          if (std::any_of(kept.begin(), kept.end(), [&](const Box& o) { return overlap(candidate, o) > limit; }))
            continue;
          kept.push_back(candidate);
          found.insert(found.end(), {b, k, i});
        }
      }
    }
    NM_ASSIGN(Tensor * out, execution.allocate(0, DType::Int64, Shape{static_cast<int64_t>(found.size()) / 3, 3}));
    std::copy(found.begin(), found.end(), out->data<int64_t>());
    return {};
  }

 private:
  // Corners in any order, or a centre with width and height.
  Box box(const float* p) const {
    if (centred_) return {p[1] - p[3] / 2, p[0] - p[2] / 2, p[1] + p[3] / 2, p[0] + p[2] / 2};
    return {std::min(p[0], p[2]), std::min(p[1], p[3]), std::max(p[0], p[2]), std::max(p[1], p[3])};
  }

  bool centred_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<NonMaxSuppression>("NonMaxSuppression", 10, {.inputs = 5, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(non_max_suppression, kEntries)

}  // namespace nm
