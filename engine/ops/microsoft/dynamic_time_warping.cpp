// com.microsoft's DynamicTimeWarping: the cheapest way through a matrix of costs, from the first to the last cell.
#include <algorithm>
#include <limits>
#include <vector>

#include "engine/op/check.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

enum Step : uint8_t { kDiagonal, kDown, kRight };

class DynamicTimeWarping final : public Operator {
 public:
  explicit DynamicTimeWarping(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the costs", {DType::Float32}));
    inference.output(0, DType::Int32, Shape{2, kUnknownDim});
    if (!inference.has_shape(0)) return {};
    const Shape& s = inference.shape(0);
    const bool plane = s.rank() == 2 || (s.rank() == 3 && (s[0] == 1 || s[0] < 0));
    for (const int64_t d : s) {
      if (!plane || d == 0 || d > INT32_MAX) return wrong_shape("the costs", s, "[rows,columns], perhaps behind a 1");
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& costs = execution.input(0);
    const int64_t rows = costs.dim(costs.rank() - 2), columns = costs.dim(costs.rank() - 1), width = columns + 1;
    const float* x = costs.data<float>();
    NM_ASSIGN(uint8_t * steps, execution.scratch<uint8_t>(Size(rows) * columns));
    NM_ASSIGN(float* best,
              execution.scratch<float>(Size(2) * width));  // ways to the cells of the row above and of this one
    std::fill_n(best, 2 * width, std::numeric_limits<float>::infinity());
    float *above = best, *here = best + width;
    above[0] = 0;
    for (int64_t r = 0; r < rows; ++r) {
      here[0] = std::numeric_limits<float>::infinity();
      for (int64_t k = 0; k < columns; ++k) {
        const float diagonal = above[k], down = above[k + 1], right = here[k];
        Step step = kRight;
        if (diagonal < down && diagonal < right) {
          step = kDiagonal;
        } else if (down < diagonal && down < right) {
          step = kDown;
        }
        here[k + 1] = x[r * columns + k] + (step == kDiagonal ? diagonal : step == kDown ? down : right);
        steps[r * columns + k] = step;
      }
      std::swap(above, here);
    }
    std::vector<int32_t> path[2];
    for (int64_t r = rows - 1, k = columns - 1; r >= 0 || k >= 0;) {
      path[0].push_back(static_cast<int32_t>(r));
      path[1].push_back(static_cast<int32_t>(k));
      // Along the edges there is one way only.
      const uint8_t edge = r < 0 ? kRight : kDown;
      const uint8_t step = r < 0 || k < 0 ? edge : steps[r * columns + k];
      if (step != kRight) --r;
      if (step != kDown) --k;
    }
    const auto length = static_cast<int64_t>(path[0].size());
    NM_ASSIGN(Tensor * out, execution.allocate(0, DType::Int32, Shape{2, length}));
    for (const int side : {0, 1})
      std::reverse_copy(path[side].begin(), path[side].end(), out->data<int32_t>() + side * length);
    return {};
  }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<DynamicTimeWarping>(kMicrosoftDomain, "DynamicTimeWarping", 1,
                                 {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(dynamic_time_warping, kEntries)

}  // namespace nm
