// MaxRoiPool: the maxima of a grid of bins laid over each region of interest.
#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class MaxRoiPool final : public Operator {
 public:
  explicit MaxRoiPool(Attributes& a) : bins_(a.integers("pooled_shape")), scale_(a.number("spatial_scale", 1)) {
    a.require("pooled_shape");
    const bool sensible =
        bins_.size() == 2 && std::min(bins_[0], bins_[1]) > 0 && std::max(bins_[0], bins_[1]) < 1 << 20;
    if (!sensible) a.fail("the attribute 'pooled_shape' must be a height and a width");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 0, "the image", {DType::Float32, DType::Float64}));
    NM_TRY(common_type(inference, 0, 2).take_status());
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape &x = inference.shape(0), &rois = inference.shape(1);
    if (x.rank() != 4) return wrong_shape("the image", x, "[batch, channels, height, width]");
    if (rois.rank() != 2 || (rois[1] >= 0 && rois[1] != 5)) return wrong_shape("the regions", rois, "[count, 5]");
    inference.output(0, inference.type(0), Shape{rois[0], x[1], bins_[0], bins_[1]});
    return {};
  }

  Status run(Execution& execution) override {
    return execution.input(0).dtype() == DType::Float32 ? pool<float>(execution) : pool<double>(execution);
  }

 private:
  // Cells [first, last) of bin `i` of `bins` over `size` cells that start at `start`, inside the image.
  struct Range {
    int64_t first, last;
    Range(int64_t i, int64_t bins, double start, double size, int64_t limit) {
      const double step = size / static_cast<double>(bins), n = static_cast<double>(limit);
      first = static_cast<int64_t>(std::clamp(std::floor(static_cast<double>(i) * step) + start, 0.0, n));
      last = static_cast<int64_t>(std::clamp(std::ceil(static_cast<double>(i + 1) * step) + start, 0.0, n));
    }
  };

  template <class T>
  Status pool(const Execution& execution) const {
    const Tensor& x = execution.input(0);
    const int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3);
    T* out = execution.out<T>(0);
    for (int64_t r = 0; r < execution.input(1).dim(0); ++r) {
      const T* roi = execution.data<T>(1) + r * 5;
      if (!(roi[0] >= 0 && roi[0] < static_cast<T>(x.dim(0)))) {
        return {Code::InvalidData,
                text("the batch index ", static_cast<double>(roi[0]), " lies outside the batch of ", x.dim(0))};
      }
      double edges[4];
      for (int i = 0; i < 4; ++i) {
        edges[i] = std::round(static_cast<double>(roi[i + 1]) * static_cast<double>(scale_));
        if (!(std::abs(edges[i]) < 0x1p40)) return {Code::InvalidData, "a region's edge is not a sensible number"};
      }
      const double w = std::max(edges[2] - edges[0] + 1, 1.0), h = std::max(edges[3] - edges[1] + 1, 1.0);
      for (int64_t ch = 0; ch < channels; ++ch) {
        const T* plane = x.data<T>() + (static_cast<int64_t>(roi[0]) * channels + ch) * height * width;
        for (int64_t i = 0; i < bins_[0]; ++i) {
          const Range rows(i, bins_[0], edges[1], h, height);
          for (int64_t j = 0; j < bins_[1]; ++j) {
            const Range cols(j, bins_[1], edges[0], w, width);
            const bool empty = rows.first >= rows.last || cols.first >= cols.last;
            T most = empty ? T{0} : plane[rows.first * width + cols.first];
            for (int64_t y = rows.first; y < rows.last; ++y) {
              for (int64_t u = cols.first; u < cols.last; ++u) most = std::max(most, plane[y * width + u]);
            }
            *out++ = most;
          }
        }
      }
    }
    return {};
  }

  std::vector<int64_t> bins_;
  float scale_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<MaxRoiPool>("MaxRoiPool", 1, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(max_roi_pool, kEntries)

}  // namespace nm
