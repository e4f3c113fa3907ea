// GridSample: every output pixel reads the image at the place that the grid says, interpolating between cells.
#include <algorithm>
#include <cmath>
#include <span>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/window.h"
#include "engine/tensor/cast.h"

namespace nm {
namespace {

enum class SampleMode : uint8_t { Nearest, Linear, Cubic };
enum class SamplePadding : uint8_t { Zeros, Border, Reflection };

// The cells along one axis that a place is made of.
struct AxisTaps {
  size_t count = 1;
  std::array<int64_t, 4> index{};  // -1: outside, where the image is zero
  std::array<double, 4> weight{1};
};

double cubic(double x) {
  constexpr double a = -0.75;
  x = std::abs(x);
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

class GridSample final : public Operator {
 public:
  explicit GridSample(Attributes& a) : align_(a.flag("align_corners", false)) {
    const std::string mode = a.string("mode", "linear"), padding = a.string("padding_mode", "zeros");
    if (mode == "nearest") {
      mode_ = SampleMode::Nearest;
    } else if (mode == "cubic" || mode == "bicubic") {
      mode_ = SampleMode::Cubic;
    } else if (mode != "linear" && mode != "bilinear") {
      a.fail(text("the attribute 'mode' is '", mode, "'; expected linear, nearest or cubic"));
    }
    if (padding == "border") {
      padding_ = SamplePadding::Border;
    } else if (padding == "reflection") {
      padding_ = SamplePadding::Reflection;
    } else if (padding != "zeros") {
      a.fail(text("the attribute 'padding_mode' is '", padding, "'; expected zeros, border or reflection"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_number(inference, 0, "the image"));
    NM_TRY(check_float(inference, 1, "the grid"));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape &x = inference.shape(0), &grid = inference.shape(1);
    const int spatial = x.rank() - 2;
    if (spatial < 1 || spatial > 3) return wrong_shape("the image", x, "[batch, channels, one to three dimensions]");
    if (grid.rank() != x.rank() || (grid.back() >= 0 && grid.back() != spatial) ||
        (grid[0] >= 0 && x[0] >= 0 && grid[0] != x[0])) {
      return wrong_shape("the grid", grid, text("[", x[0], ", …, ", spatial, "] of rank ", x.rank()));
    }
    Shape y{x[0], x[1]};
    for (int i = 0; i < spatial; ++i) y.push_back(grid[i + 1]);
    inference.output(0, inference.type(0), y);
    return {};
  }

  Status run(Execution& execution) override {
    if (execution.output(0).count() == 0) return {};
    for (int i = 2; i < execution.input(0).rank(); ++i) {
      if (execution.input(0).dim(i) == 0)
        return wrong_shape("the image", execution.input(0).shape(), "something to sample");
    }
    const Tensor& grid = execution.input(1);
    Tensor& out = execution.output(0);
    if (execution.input(0).dtype() == DType::Float32) {
      sample<float>(execution.input(0), grid, out);
      return {};
    }
    if (execution.input(0).dtype() == DType::Float64) {
      sample<double>(execution.input(0), grid, out);
      return {};
    }
    NM_ASSIGN(double* from, execution.scratch<double>(Size(execution.input(0).count())));
    NM_ASSIGN(double* to, execution.scratch<double>(Size(out.count())));
    Tensor image = Tensor::view(DType::Float64, execution.input(0).shape(), from);
    Tensor result = Tensor::view(DType::Float64, out.shape(), to);
    NM_TRY(cast(execution.input(0), image));
    sample<double>(image, grid, result);
    return cast(result, out);
  }

 private:
  // A cell that a point reads, as an offset into any channel's plane; -1 outside the image, where there are zeros.
  template <class T>
  struct Tap {
    int64_t cell;
    T weight;
  };

  template <class T>
  void sample(const Tensor& in, const Tensor& grid, Tensor& out) const {
    const Shape& x = in.shape();
    const int rank = x.rank() - 2;
    const int64_t channels = x[1], cells = x.count(2, x.rank());
    const int64_t points = out.shape().count(2, x.rank());
    // The taps of a few points are found once for all channels.
    constexpr int64_t kTaps = 1024;
    const int64_t most = int64_t{1} << (rank * (mode_ == SampleMode::Nearest  ? 0
                                                : mode_ == SampleMode::Linear ? 1
                                                                              : 2));
    const int64_t block = kTaps / most, blocks = (points + block - 1) / block;
    thread_pool::parallel_for(x[0] * blocks, 1, [&](int64_t begin, int64_t end, int) {
      std::array<Tap<T>, kTaps> taps;
      for (int64_t task = begin; task < end; ++task) {
        const int64_t image = task / blocks, first = task % blocks * block, count = std::min(block, points - first);
        for (int64_t p = 0; p < count; ++p) {
          find(grid, image * points + first + p, x, taps.data() + p * most);
        }
        for (int64_t ch = image * channels; ch < (image + 1) * channels; ++ch) {
          const T* from = in.data<T>() + ch * cells;
          T* to = out.data<T>() + ch * points + first;
          for (int64_t p = 0; p < count; ++p) {
            T sum = 0;
            for (const Tap<T>& tap : std::span(taps.data() + p * most, static_cast<size_t>(most))) {
              if (tap.cell >= 0) sum += tap.weight * from[tap.cell];
            }
            to[p] = sum;
          }
        }
      }
    });
  }

  // The taps of one point.
  template <class T>
  void find(const Tensor& grid, int64_t point, const Shape& x, Tap<T>* taps) const {
    const int rank = x.rank() - 2;
    std::array<AxisTaps, 3> axes;  // images of fewer than three dimensions have ones in front
    for (int i = 0; i < rank; ++i) {
      // The grid counts its coordinates from the innermost dimension.
      const int64_t at = point * rank + (rank - 1 - i);
      const double g =
          grid.dtype() == DType::Float32 ? static_cast<double>(grid.data<float>()[at]) : grid.data<double>()[at];
      axes[static_cast<size_t>(i + 3 - rank)] = place(g, x[i + 2]);
    }
    const int64_t height = rank > 1 ? x[rank] : 1, width = x.back();
    for (size_t i = 0; i < axes[0].count; ++i) {
      for (size_t j = 0; j < axes[1].count; ++j) {
        for (size_t k = 0; k < axes[2].count; ++k, ++taps) {
          const bool is_inside = axes[0].index[i] >= 0 && axes[1].index[j] >= 0 && axes[2].index[k] >= 0;
          taps->cell = is_inside ? (axes[0].index[i] * height + axes[1].index[j]) * width + axes[2].index[k] : -1;
          taps->weight = static_cast<T>(axes[0].weight[i] * axes[1].weight[j] * axes[2].weight[k]);
        }
      }
    }
  }

  AxisTaps place(double g, int64_t size) const {
    const auto length = static_cast<double>(size);
    double x = align_ ? (g + 1) / 2 * (length - 1) : ((g + 1) * length - 1) / 2;
    if (!(std::abs(x) < 0x1p40)) x = x > 0 ? 0x1p40 : -0x1p40;  // NaN and infinities must not become indices
    AxisTaps t;
    const double base = mode_ == SampleMode::Nearest ? std::nearbyint(x) : std::floor(x);
    const double ratio = x - base;
    t.count = mode_ == SampleMode::Nearest ? 1 : mode_ == SampleMode::Linear ? 2 : 4;
    for (size_t i = 0; i < t.count; ++i) {
      const int offset = static_cast<int>(i) - (mode_ == SampleMode::Cubic ? 1 : 0);
      const double distance = std::abs(ratio - offset);
      t.weight[i] = mode_ == SampleMode::Nearest ? 1 : mode_ == SampleMode::Linear ? 1 - distance : cubic(distance);
      t.index[i] = inside(static_cast<int64_t>(base) + offset, size);
    }
    return t;
  }

  int64_t inside(int64_t i, int64_t size) const {
    if (i >= 0 && i < size) return i;
    switch (padding_) {
      case SamplePadding::Zeros:
        return -1;
      case SamplePadding::Border:
        return i < 0 ? 0 : size - 1;
      case SamplePadding::Reflection: {
        // About the outer cells' centres, or about their edges, which repeats those cells.
        const int64_t period = align_ ? 2 * (size - 1) : 2 * size;
        if (period == 0) return 0;
        i = (i % period + period) % period;
        return i < size ? i : period - (align_ ? 0 : 1) - i;
      }
    }
    return -1;
  }

  bool align_;
  SampleMode mode_ = SampleMode::Linear;
  SamplePadding padding_ = SamplePadding::Zeros;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<GridSample>("GridSample", 16, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(grid_sample, kEntries)

}  // namespace nm
