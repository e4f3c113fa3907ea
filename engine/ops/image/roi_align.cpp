// RoiAlign: a grid of averages (or maxima) of interpolated samples for each region of interest.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/thread_pool.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// A sample between cells along one axis.
struct Between {
  int64_t low = 0, high = 0;
  double weight = 0;  // of high
  bool outside = true;

  Between(double at, int64_t size) {
    if (!(at >= -1 && at <= static_cast<double>(size))) return;  // NaN too
    at = std::max(at, 0.0);
    low = std::min(static_cast<int64_t>(at), size - 1);
    high = std::min(low + 1, size - 1);
    weight = low == size - 1 ? 0 : at - static_cast<double>(low);
    outside = false;
  }
};

class RoiAlign final : public Operator {
 public:
  explicit RoiAlign(Attributes& a)
      : out_h_(a.integer("output_height", 1)),
        out_w_(a.integer("output_width", 1)),
        ratio_(a.integer("sampling_ratio", 0)),
        scale_(a.number("spatial_scale", 1)) {
    const std::string mode = a.string("mode", "avg");
    if (mode != "avg" && mode != "max") a.fail(text("the attribute 'mode' is '", mode, "'; expected avg or max"));
    max_ = mode == "max";
    const std::string shift =
        a.string("coordinate_transformation_mode", a.version() < 16 ? "output_half_pixel" : "half_pixel");
    if (shift != "half_pixel" && shift != "output_half_pixel") {
      a.fail(text("the attribute 'coordinate_transformation_mode' is '", shift,
                  "'; expected half_pixel or output_half_pixel"));
    }
    half_pixel_ = shift == "half_pixel";
    constexpr int64_t limit = 1 << 20;
    if (out_h_ < 1 || out_w_ < 1 || out_h_ > limit || out_w_ > limit)
      a.fail("an output without pixels, or with too many");
    if (ratio_ < 0 || ratio_ > limit) a.fail(text("a sampling_ratio of ", ratio_, " makes no sense"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_type(inference, 0, "the image", {DType::Float32, DType::Float64}));
    NM_TRY(common_type(inference, 0, 2).take_status());
    NM_TRY(check_type(inference, 2, "the batch indices", {DType::Int64}));
    inference.output(0, inference.type(0));
    if (inference.has_shape(0) && inference.shape(0).rank() != 4)
      return wrong_shape("the image", inference.shape(0), "[batch, channels, height, width]");
    int64_t count = kUnknownDim;
    if (inference.has_shape(1)) {
      const Shape& rois = inference.shape(1);
      if (rois.rank() != 2 || (rois[1] >= 0 && rois[1] != 4)) return wrong_shape("the regions", rois, "[count, 4]");
      count = rois[0];
    }
    if (inference.has_shape(2) && (inference.shape(2).rank() != 1 ||
                                   (count >= 0 && inference.shape(2)[0] >= 0 && inference.shape(2)[0] != count))) {
      return wrong_shape("the batch indices", inference.shape(2), text("[", count, "]"));
    }
    inference.output(0, inference.type(0),
                     Shape{count, inference.has_shape(0) ? inference.shape(0)[1] : kUnknownDim, out_h_, out_w_});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    if (execution.output(0).count() == 0) return {};
    if (x.dim(2) == 0 || x.dim(3) == 0) return wrong_shape("the image", x.shape(), "something to sample");
    for (const int64_t b : execution.input(2).span<int64_t>()) {
      if (b < 0 || b >= x.dim(0)) {
        return {Code::InvalidData, text("the batch index ", b, " lies outside the batch of ", x.dim(0))};
      }
    }
    return x.dtype() == DType::Float32 ? align<float>(execution) : align<double>(execution);
  }

 private:
  // How many samples a bin takes along an axis.
  Result<int64_t> samples(double size, int64_t bins) const {
    if (ratio_ > 0) return ratio_;
    const double n = std::ceil(size / static_cast<double>(bins));
    if (!(n <= 1 << 20)) return Status(Code::InvalidData, text("a region of ", size, " cells is too large"));
    return static_cast<int64_t>(std::max(n, 0.0));
  }

  template <class T>
  Status align(const Execution& execution) const {
    const Tensor& x = execution.input(0);
    const int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3), plane = height * width;
    const double shift = half_pixel_ ? 0.5 : 0, scale = static_cast<double>(scale_);
    for (int64_t r = 0; r < execution.output(0).dim(0); ++r) {
      const T* roi = execution.data<T>(1) + r * 4;
      const double left = static_cast<double>(roi[0]) * scale - shift,
                   top = static_cast<double>(roi[1]) * scale - shift;
      double w = static_cast<double>(roi[2]) * scale - shift - left,
             h = static_cast<double>(roi[3]) * scale - shift - top;
      if (!half_pixel_) {  // regions have a cell at least
        w = std::max(w, 1.0);
        h = std::max(h, 1.0);
      }
      NM_ASSIGN(const int64_t rows, samples(h, out_h_));
      NM_ASSIGN(const int64_t cols, samples(w, out_w_));
      const double bin_h = h / static_cast<double>(out_h_), bin_w = w / static_cast<double>(out_w_);
      const T* image = execution.data<T>(0) + execution.data<int64_t>(2)[r] * channels * plane;
      T* out = execution.out<T>(0) + r * channels * out_h_ * out_w_;
      thread_pool::parallel_for(out_h_ * out_w_, 4, [&](int64_t begin, int64_t end, int) {
        for (int64_t bin = begin; bin < end; ++bin) {
          const double y0 = top + static_cast<double>(bin / out_w_) * bin_h,
                       x0 = left + static_cast<double>(bin % out_w_) * bin_w;
          for (int64_t ch = 0; ch < channels; ++ch) {
            double sum = 0, most = -std::numeric_limits<double>::infinity();
            for (int64_t i = 0; i < rows; ++i) {
              const Between v(y0 + (static_cast<double>(i) + 0.5) * bin_h / static_cast<double>(rows), height);
              for (int64_t j = 0; j < cols; ++j) {
                const Between u(x0 + (static_cast<double>(j) + 0.5) * bin_w / static_cast<double>(cols), width);
                add(image + ch * plane, width, v, u, sum, most);
              }
            }
            const double n = static_cast<double>(std::max<int64_t>(1, rows * cols));
            out[ch * out_h_ * out_w_ + bin] = static_cast<T>(max_ ? (rows * cols > 0 ? most : 0) : sum / n);
          }
        }
      });
    }
    return {};
  }

  // The maximum is over the four weighted cells of each sample, not over their sums: so ONNX has it.
  template <class T>
  static void add(const T* plane, int64_t width, const Between& v, const Between& u, double& sum, double& most) {
    if (v.outside || u.outside) {
      most = std::max(most, 0.0);
      return;
    }
    const auto at = [&](int64_t y, int64_t x) { return static_cast<double>(plane[y * width + x]); };
    const double parts[] = {(1 - v.weight) * (1 - u.weight) * at(v.low, u.low),
                            (1 - v.weight) * u.weight * at(v.low, u.high),
                            v.weight * (1 - u.weight) * at(v.high, u.low), v.weight * u.weight * at(v.high, u.high)};
    for (const double part : parts) {
      sum += part;
      most = std::max(most, part);
    }
  }

  int64_t out_h_, out_w_, ratio_;
  float scale_;
  bool max_ = false, half_pixel_ = true;
};

}  // namespace

constexpr AttributeRange kRoiAlignAttributes[] = {{"coordinate_transformation_mode", 16}};

constexpr OperatorEntry kEntries[] = {
    entry<RoiAlign>("RoiAlign", 10,
                    {.inputs = 3, .outputs = 1, .layout = layout::opaque, .attributes = kRoiAlignAttributes}),
};

NM_OPERATORS(roi_align, kEntries)

}  // namespace nm
