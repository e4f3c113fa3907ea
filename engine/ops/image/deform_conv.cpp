// DeformConv: a convolution whose taps are moved by offsets, one pair for each tap and output pixel, and weighted by a
// mask. Two spatial axes.
#include <algorithm>
#include <cmath>

#include "engine/base/thread_pool.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/window.h"

namespace nm {
namespace {

class DeformConv final : public Operator {
 public:
  explicit DeformConv(Attributes& a)
      : window_(a), groups_(a.integer("group", 1)), offset_groups_(a.integer("offset_group", 1)) {
    if (groups_ < 1 || offset_groups_ < 1) a.fail("the attributes 'group' and 'offset_group' must be 1 at least");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_type(inference, 0, "the image", {DType::Float32, DType::Float64}));
    NM_TRY(common_type(inference, 0, 5).take_status());
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape &x = inference.shape(0), &w = inference.shape(1);
    if (x.rank() != 4 || w.rank() != 4)
      return wrong_shape("the image", x, "[batch, channels, height, width], and weights alike");
    if (!x.known() || !w.known()) return {};
    if (w.count() <= 0) return wrong_shape("the weights", w, "no empty dimension");
    if (w[0] % groups_ != 0 || x[1] % groups_ != 0 || x[1] / groups_ != w[1] || x[1] % offset_groups_ != 0) {
      return wrong_shape("the weights", w, text("weights for an image of ", x[1], " channels in ", groups_, " groups"));
    }
    NM_ASSIGN(const Window window, window_.resolve(x.dims().subspan(2), w.dims().subspan(2)));
    const Shape y{x[0], w[0], window[0].out, window[1].out};
    const auto expect = [&](size_t i, std::string_view what, const Shape& shape) -> Status {
      if (!inference.has_shape(i) || !inference.shape(i).known() || inference.shape(i) == shape) return {};
      return wrong_shape(what, inference.shape(i), to_string(shape));
    };
    const int64_t taps = window.taps() * offset_groups_;
    NM_TRY(expect(2, "the offsets", Shape{x[0], 2 * taps, y[2], y[3]}));
    NM_TRY(expect(3, "the bias", Shape{w[0]}));
    NM_TRY(expect(4, "the mask", Shape{x[0], taps, y[2], y[3]}));
    inference.output(0, inference.type(0), y);
    return {};
  }

  Status run(Execution& execution) override {
    return execution.input(0).dtype() == DType::Float32 ? convolve<float>(execution) : convolve<double>(execution);
  }

 private:
  template <class T>
  Status convolve(const Execution& execution) const {
    const Tensor &x = execution.input(0), &w = execution.input(1), &y = execution.output(0);
    if (y.count() == 0) return {};
    NM_ASSIGN(const Window window, window_.resolve(x.shape().dims().subspan(2), w.shape().dims().subspan(2)));
    const int64_t in_c = x.dim(1), height = x.dim(2), width = x.dim(3), out_c = w.dim(0), taps = window.taps();
    const int64_t pixels = window.out_pixels(), columns = in_c * taps;

    NM_ASSIGN(T * samples, execution.scratch<T>(Size(columns) * thread_pool::size()));
    const T* mask = execution.has(4) ? execution.data<T>(4) : nullptr;
    for (int64_t image = 0; image < x.dim(0); ++image) {
      const T* from = x.data<T>() + image * in_c * height * width;
      const auto gather = [&](int64_t pixel, T* column) {
        const int64_t oy = pixel / window[1].out, ox = pixel % window[1].out;
        for (int64_t g = 0; g < offset_groups_; ++g) {
          for (int64_t t = 0; t < taps; ++t) {
            const int64_t tap = (image * offset_groups_ + g) * taps + t;
            const T* offset = execution.data<T>(2) + tap * 2 * pixels + pixel;
            const double scale = mask ? static_cast<double>(mask[tap * pixels + pixel]) : 1;
            const auto place = [](const WindowAxis& a, int64_t out, int64_t k) {
              return static_cast<double>(out * a.stride - a.pad_begin + k * a.dilation);
            };
            const double py = place(window[0], oy, t / window[1].kernel) + static_cast<double>(offset[0]);
            const double px = place(window[1], ox, t % window[1].kernel) + static_cast<double>(offset[pixels]);
            const int64_t per = in_c / offset_groups_;
            for (int64_t ch = g * per; ch < (g + 1) * per; ++ch) {
              column[ch * taps + t] = static_cast<T>(scale * sample(from + ch * height * width, height, width, py, px));
            }
          }
        }
      };
      thread_pool::parallel_for(pixels, 16, [&](int64_t begin, int64_t end, int thread) {
        T* column = samples + thread * columns;
        for (int64_t p = begin; p < end; ++p) {
          gather(p, column);
          for (int64_t o = 0; o < out_c; ++o) {
            const int64_t per = columns / groups_;
            const T* part = column + o / (out_c / groups_) * per;
            const T* weights = w.data<T>() + o * per;
            T sum = execution.has(3) ? execution.data<T>(3)[o] : T{0};
            for (int64_t i = 0; i < per; ++i) sum += weights[i] * part[i];
            execution.out<T>(0)[(image * out_c + o) * pixels + p] = sum;
          }
        }
      });
    }
    return {};
  }

  // Zero outside the image, between cells the weighted mean of four.
  template <class T>
  static double sample(const T* plane, int64_t height, int64_t width, double y, double x) {
    if (!(y > -1 && y < static_cast<double>(height) && x > -1 && x < static_cast<double>(width))) return 0;
    const double fy = std::floor(y), fx = std::floor(x), dy = y - fy, dx = x - fx;
    const auto y0 = static_cast<int64_t>(fy), x0 = static_cast<int64_t>(fx);
    const auto at = [&](int64_t r, int64_t k) {
      return r >= 0 && r < height && k >= 0 && k < width ? static_cast<double>(plane[r * width + k]) : 0;
    };
    return (1 - dy) * ((1 - dx) * at(y0, x0) + dx * at(y0, x0 + 1)) +
           dy * ((1 - dx) * at(y0 + 1, x0) + dx * at(y0 + 1, x0 + 1));
  }

  WindowAttributes window_;
  int64_t groups_, offset_groups_;
};

}  // namespace

constexpr AttributeRange kDeformConvAttributes[] = {{"auto_pad", kInNoVersion}, {"ceil_mode", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<DeformConv>("DeformConv", 19,
                      {.inputs = 5, .outputs = 1, .layout = layout::opaque, .attributes = kDeformConvAttributes}),
};

NM_OPERATORS(deform_conv, kEntries)

}  // namespace nm
