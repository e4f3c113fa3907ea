// Resize and its forerunner Upsample. Images of float32 that change in at most two neighbouring axes go to the kernels;
// everything else is resized axis by axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/image/image.h"
#include "engine/ops/image/resize_axis.h"
#include "engine/tensor/element.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

enum class Aspect : uint8_t { Stretch, NotLarger, NotSmaller };

template <class T, size_t n>
T choice(Attributes& a, std::string_view name, const char* fallback, const std::pair<std::string_view, T> (&table)[n]) {
  const std::string given = a.string(name, fallback);
  for (const auto& [key, value] : table) {
    if (key == given) return value;
  }
  a.unsupported(text("the attribute '", name, "' is '", given, "', which is not known"));
  return table[0].second;
}

class Resize final : public Operator {
 public:
  explicit Resize(Attributes& a, bool upsample = false) : layout_(a), axes_(a.integers("axes")) {
    rules_.mode = choice<ResizeMode>(a, "mode", "nearest",
                                     {{"nearest", ResizeMode::Nearest},
                                      {"linear", ResizeMode::Linear},
                                      {"bilinear", ResizeMode::Linear},
                                      {"cubic", ResizeMode::Cubic}});
    if (upsample || a.version() < 11) {
      rules_.coordinates = Coordinates::Asymmetric;
      rules_.nearest = NearestMode::Floor;
      scales_input_ = 1;
      sizes_input_ = roi_input_ = SIZE_MAX;
      if (!upsample || a.version() >= 9) return;
      scales_input_ = SIZE_MAX;
      if (a.version() >= 7) {
        a.require("scales");
        scales_ = a.numbers("scales");
      } else {
        a.require("height_scale");
        a.require("width_scale");
        scales_ = {1, 1, a.number("height_scale", 1), a.number("width_scale", 1)};
      }
      return;
    }
    rules_.coordinates = choice<Coordinates>(a, "coordinate_transformation_mode", "half_pixel",
                                             {{"half_pixel", Coordinates::HalfPixel},
                                              {"half_pixel_symmetric", Coordinates::HalfPixelSymmetric},
                                              {"pytorch_half_pixel", Coordinates::PytorchHalfPixel},
                                              {"align_corners", Coordinates::AlignCorners},
                                              {"asymmetric", Coordinates::Asymmetric},
                                              {"tf_half_pixel_for_nn", Coordinates::TfHalfPixelForNn},
                                              {"tf_crop_and_resize", Coordinates::TfCropAndResize}});
    rules_.nearest = choice<NearestMode>(a, "nearest_mode", "round_prefer_floor",
                                         {{"round_prefer_floor", NearestMode::RoundPreferFloor},
                                          {"round_prefer_ceil", NearestMode::RoundPreferCeil},
                                          {"floor", NearestMode::Floor},
                                          {"ceil", NearestMode::Ceil}});
    aspect_ = choice<Aspect>(
        a, "keep_aspect_ratio_policy", "stretch",
        {{"stretch", Aspect::Stretch}, {"not_larger", Aspect::NotLarger}, {"not_smaller", Aspect::NotSmaller}});
    rules_.antialias = a.flag("antialias", false) && rules_.mode != ResizeMode::Nearest;
    rules_.exclude_outside = a.flag("exclude_outside", false);
    rules_.cubic_a = static_cast<double>(a.number("cubic_coeff_a", -0.75f));
    extrapolation_ = a.number("extrapolation_value", 0);
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    const DType dtype = inference.type(0);
    const bool arithmetic = dtype == DType::Float32 || dtype == DType::Float64 || dtype == DType::Int8 ||
                            dtype == DType::UInt8 || dtype == DType::Int32 || dtype == DType::Int64;
    const bool moves = rules_.mode == ResizeMode::Nearest && rules_.coordinates != Coordinates::TfCropAndResize &&
                       dtype != DType::String && !is_packed(dtype);
    if (dtype != DType::Undefined && !arithmetic && !moves) {
      return wrong_type("the image", dtype, "a type that can be interpolated");
    }
    inference.output(0, dtype);
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    const auto floats = [&](size_t i) { return given(inference, i); };
    const bool by_scales = scales_input_ == SIZE_MAX || (floats(scales_input_) && !floats(sizes_input_));
    if ((by_scales && scales_input_ != SIZE_MAX && inference.value(scales_input_) == nullptr) ||
        (!by_scales && (!floats(sizes_input_) || inference.value(sizes_input_) == nullptr))) {
      if (!floats(sizes_input_) && !floats(scales_input_)) {
        return {Code::MissingInput, "neither scales nor sizes are given; a resize needs one of them"};
      }
      NM_ASSIGN(const uint32_t changing, check_resized(x.rank()));
      Shape y = x;
      for (int i = 0; i < x.rank(); ++i) {
        if ((changing >> i & 1) != 0) y[place(i, x.rank())] = kUnknownDim;
      }
      inference.output(0, dtype, y);
      return {};
    }
    const Tensor* scales = scales_input_ == SIZE_MAX ? nullptr : inference.value(scales_input_);
    const Tensor* sizes = sizes_input_ == SIZE_MAX ? nullptr : inference.value(sizes_input_);
    NM_ASSIGN(const Axes axes, resolve(x, scales, sizes, nullptr));
    Shape y = x;
    for (int i = 0; i < x.rank(); ++i) y[i] = axes[static_cast<size_t>(i)].out;
    inference.output(0, dtype, y);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    Tensor& y = execution.output(0);
    if (y.count() == 0) return {};
    if (x.count() == 0) return wrong_shape("the image", x.shape(), "something to enlarge");
    const auto tensor = [&](size_t i) { return execution.has(i) ? &execution.input(i) : nullptr; };
    NM_ASSIGN(const Axes axes, resolve(x.shape(), tensor(scales_input_), tensor(sizes_input_), tensor(roi_input_)));
    int first = x.rank(), last = -1;
    for (int i = 0; i < x.rank(); ++i) {
      if (!axes[static_cast<size_t>(i)].changes(rules_.coordinates)) continue;
      first = std::min(first, i);
      last = i;
    }
    if (last < 0) {
      copy_all(x, y);
      return {};
    }
    const bool plain = !rules_.antialias && !rules_.exclude_outside && rules_.mode != ResizeMode::Cubic &&
                       rules_.coordinates != Coordinates::TfCropAndResize;
    if (plain && x.dtype() == DType::Float32 && last - first <= 1) return run_kernel(execution, axes, first, last);
    Status done;
    if (rules_.mode == ResizeMode::Nearest) {
      with_element(x.dtype(), [&]<class T>() {
        if constexpr (std::is_trivially_copyable_v<T>) done = run_nearest<T>(execution, axes);
      });
      NM_TRY(std::move(done));
      return extrapolate_any(y, axes);
    }
    if (x.dtype() == DType::Float64) {
      NM_TRY(run_weighted<double>(execution, axes));
    } else {
      NM_TRY(run_weighted<float>(execution, axes));
    }
    return extrapolate_any(y, axes);
  }

 private:
  using Axes = std::array<ResizeAxis, kMaxRank>;  // by the tensor's own order of axes

  bool given(const Inference& inference, size_t i) const {
    return i != SIZE_MAX && inference.has(i) &&
           !(inference.has_shape(i) && inference.shape(i).known() && inference.shape(i).count() == 0);
  }

  // Where ONNX's axis i lies in the tensor.
  int place(int i, int rank) const {
    if (!layout_.channels_last() || i == 0) return i;
    return i == 1 ? rank - 1 : i - 1;
  }

  // ONNX's axes that may change, as bits.
  Result<uint32_t> check_resized(int rank) const {
    if (axes_.empty()) return (uint32_t{1} << rank) - 1;
    return check_axes(axes_, rank);
  }

  static double number(const Tensor& t, int64_t i) {
    switch (t.dtype()) {
      case DType::Float32:
        return static_cast<double>(t.data<float>()[i]);
      case DType::Float64:
        return t.data<double>()[i];
      case DType::Float16:
        return static_cast<double>(static_cast<float>(t.data<float16>()[i]));
      case DType::BFloat16:
        return static_cast<double>(static_cast<float>(t.data<bfloat16>()[i]));
      case DType::Int64:
        return static_cast<double>(t.data<int64_t>()[i]);
      case DType::Int32:
        return static_cast<double>(t.data<int32_t>()[i]);
      default:
        return 0;
    }
  }

  // Unknown dimensions of x give unknown ones of the output.
  Result<Axes> resolve(const Shape& x, const Tensor* scales, const Tensor* sizes, const Tensor* roi) const {
    const int rank = x.rank();
    NM_ASSIGN(const uint32_t changing, check_resized(rank));
    (void)changing;
    const int64_t n = axes_.empty() ? rank : static_cast<int64_t>(axes_.size());
    if (scales != nullptr && scales->count() == 0) scales = nullptr;
    if (sizes != nullptr && sizes->count() == 0) sizes = nullptr;
    if (roi != nullptr && roi->count() == 0) roi = nullptr;
    const auto length = [&](const Tensor* t, std::string_view what, int64_t expected) -> Status {
      if (t == nullptr || t->count() == expected) return {};
      return wrong_shape(what, t->shape(), text(expected, " elements"));
    };
    NM_TRY(length(scales, "the scales", n));
    NM_TRY(length(sizes, "the sizes", n));
    if (rules_.coordinates == Coordinates::TfCropAndResize) NM_TRY(length(roi, "the region of interest", 2 * n));
    if (scales_input_ == SIZE_MAX && static_cast<int64_t>(scales_.size()) != n) {
      return wrong_shape("the image", x, text("rank ", scales_.size(), ", as many as there are scales"));
    }
    Axes axes;
    for (int i = 0; i < rank; ++i) axes[static_cast<size_t>(i)].in = axes[static_cast<size_t>(i)].out = x[i];
    for (int64_t k = 0; k < n; ++k) {
      const int onnx = axes_.empty() ? static_cast<int>(k) : normalize_axis(axes_[static_cast<size_t>(k)], rank);
      ResizeAxis& axis = axes[static_cast<size_t>(place(onnx, rank))];
      if (roi != nullptr) {
        axis.roi_start = number(*roi, k);
        axis.roi_end = number(*roi, k + n);
      }
      if (sizes != nullptr) {
        axis.from_sizes = true;
        const double size = number(*sizes, k);
        if (size < 0 || size > 0x1p31) return Status(Code::InvalidData, text("a size of ", size, " makes no sense"));
        axis.out = static_cast<int64_t>(size);
        axis.scale = axis.in > 0 ? size / static_cast<double>(axis.in) : 1;
        continue;
      }
      axis.scale = scales != nullptr ? number(*scales, k) : static_cast<double>(scales_[static_cast<size_t>(k)]);
      if (!(axis.scale > 0) || axis.scale > 0x1p31) {
        return Status(Code::InvalidData, text("a scale of ", axis.scale, " makes no sense"));
      }
      if (axis.in < 0) {
        if (axis.scale != 1) axis.out = kUnknownDim;
        continue;
      }
      // In float32, as runtimes and exporters compute it: a scale of 1/3 gives 1 for 3.
      const float size = std::floor(static_cast<float>(axis.scale) * static_cast<float>(axis.in));
      if (size > 0x1p31f)
        return Status(Code::InvalidData, text("a scale of ", axis.scale, " makes too large an image"));
      axis.out = static_cast<int64_t>(size);
    }
    if (sizes != nullptr && aspect_ != Aspect::Stretch) NM_TRY(keep_aspect(axes, n, rank));
    for (int i = 0; i < rank; ++i) {
      const ResizeAxis& axis = axes[static_cast<size_t>(i)];
      if (axis.in > std::numeric_limits<int32_t>::max()) return wrong_shape("the image", x, "dimensions below 2^31");
    }
    return axes;
  }

  Status keep_aspect(Axes& axes, int64_t n, int rank) const {
    double scale = 0;
    for (int64_t k = 0; k < n; ++k) {
      const int onnx = axes_.empty() ? static_cast<int>(k) : normalize_axis(axes_[static_cast<size_t>(k)], rank);
      const double s = axes[static_cast<size_t>(place(onnx, rank))].scale;
      scale = k == 0 ? s : aspect_ == Aspect::NotLarger ? std::min(scale, s) : std::max(scale, s);
    }
    for (int64_t k = 0; k < n; ++k) {
      const int onnx = axes_.empty() ? static_cast<int>(k) : normalize_axis(axes_[static_cast<size_t>(k)], rank);
      ResizeAxis& axis = axes[static_cast<size_t>(place(onnx, rank))];
      axis.scale = scale;
      axis.from_sizes = false;
      const double size = std::floor(scale * static_cast<double>(axis.in) + 0.5);
      if (size > 0x1p31) return {Code::InvalidData, "the sizes make too large an image"};
      axis.out = axis.in < 0 ? kUnknownDim : static_cast<int64_t>(size);
    }
    return {};
  }

  // float32, nearest or linear, axes `first` and `last` (neighbours, or the same) as height and width.
  Status run_kernel(const Execution& execution, const Axes& axes, int first, int last) const {
    const Shape& x = execution.input(0).shape();
    const ResizeAxis& across = axes[static_cast<size_t>(last)];
    ResizeAxis down = axes[static_cast<size_t>(first)];
    if (first == last) down = ResizeAxis{1, 1};
    const int64_t batch = x.count(0, first), channels = x.count(last + 1, x.rank());
    const float* from = execution.data<float>(0);
    float* to = execution.out<float>(0);
    if (rules_.mode == ResizeMode::Nearest) {
      NM_ASSIGN(int32_t * rows, execution.scratch<int32_t>(Size(down.out)));
      NM_ASSIGN(int32_t * cols, execution.scratch<int32_t>(Size(across.out)));
      for (int64_t i = 0; i < down.out; ++i) down.tap(rules_, i, rows + i, nullptr);
      for (int64_t i = 0; i < across.out; ++i) across.tap(rules_, i, cols + i, nullptr);
      kernels().resize.nearest(batch, down.in, across.in, down.out, across.out, channels, rows, cols, from, channels,
                               to, channels);
      return {};
    }
    const auto linear = [&](const ResizeAxis& axis, LinearTap* taps) {
      for (int64_t i = 0; i < axis.out; ++i) {
        int32_t indices[2];
        double weights[2];
        axis.tap(rules_, i, indices, weights);
        taps[i] = {indices[0], indices[1], static_cast<float>(weights[1])};
      }
    };
    NM_ASSIGN(LinearTap * rows, execution.scratch<LinearTap>(Size(down.out)));
    NM_ASSIGN(LinearTap * cols, execution.scratch<LinearTap>(Size(across.out)));
    linear(down, rows);
    linear(across, cols);
    kernels().resize.bilinear(batch, down.in, across.in, down.out, across.out, channels, rows, cols, from, channels, to,
                              channels);
    return {};
  }

  // Calls step(axis, x, y, outer, inner) for each axis that changes; x and y are whole tensors of T, the last y is the
  // output.
  template <class T, class Step>
  Status by_axes(const Execution& execution, const Axes& axes, const T* x, T* output, Step step) const {
    Shape shape = execution.input(0).shape();
    int left = 0;
    for (int i = 0; i < shape.rank(); ++i) left += axes[static_cast<size_t>(i)].changes(rules_.coordinates);
    for (int i = 0; i < shape.rank(); ++i) {
      const ResizeAxis& axis = axes[static_cast<size_t>(i)];
      if (!axis.changes(rules_.coordinates)) continue;
      const int64_t outer = shape.count(0, i), inner = shape.count(i + 1, shape.rank());
      shape[i] = axis.out;
      const int64_t count = shape.count();
      if (count < 0) return {Code::ShapeMismatch, "an intermediate image of the resize is too large"};
      T* y = output;
      if (--left > 0) {
        NM_ASSIGN(y, execution.scratch<T>(Size(count)));
      }
      NM_TRY(step(axis, x, y, outer, inner));
      x = y;
    }
    return {};
  }

  template <class T>
  Status run_nearest(const Execution& execution, const Axes& axes) const {
    const auto* x = static_cast<const T*>(execution.input(0).raw());
    auto* y = static_cast<T*>(execution.output(0).raw());
    return by_axes(execution, axes, x, y,
                   [&](const ResizeAxis& axis, const T* from, T* to, int64_t outer, int64_t inner) {
                     for (int64_t i = 0; i < axis.out; ++i) {
                       int32_t index;
                       axis.tap(rules_, i, &index, nullptr);
                       for (int64_t o = 0; o < outer; ++o) {
                         std::copy_n(from + (o * axis.in + index) * inner, inner, to + (o * axis.out + i) * inner);
                       }
                     }
                     return Status();
                   });
  }

  template <class F>
  Status run_weighted(const Execution& execution, const Axes& axes) const {
    const Tensor& x = execution.input(0);
    Tensor& y = execution.output(0);
    const bool direct = x.dtype() == dtype_of<F>;
    const F* from = nullptr;
    F* to = nullptr;
    if (direct) {
      from = static_cast<const F*>(x.raw());
      to = static_cast<F*>(y.raw());
    } else {
      NM_ASSIGN(F * wide, execution.scratch<F>(Size(x.count())));
      for (int64_t i = 0; i < x.count(); ++i) wide[i] = static_cast<F>(integer(x, i));
      from = wide;
      NM_ASSIGN(to, execution.scratch<F>(Size(y.count())));
    }
    NM_TRY(by_axes(execution, axes, from, to,
                   [&](const ResizeAxis& axis, const F* in, F* out, int64_t outer, int64_t inner) -> Status {
                     const int64_t taps = axis.taps(rules_);
                     NM_ASSIGN(int32_t * indices, execution.scratch<int32_t>(Size(taps)));
                     NM_ASSIGN(double* weights, execution.scratch<double>(Size(taps)));
                     for (int64_t i = 0; i < axis.out; ++i) {
                       axis.tap(rules_, i, indices, weights);
                       for (int64_t o = 0; o < outer; ++o) {
                         F* sums = out + (o * axis.out + i) * inner;
                         std::fill_n(sums, inner, F{0});
                         for (int64_t k = 0; k < taps; ++k) {
                           const F* row = in + (o * axis.in + indices[k]) * inner;
                           const F w = static_cast<F>(weights[k]);
                           for (int64_t j = 0; j < inner; ++j) sums[j] += w * row[j];
                         }
                       }
                     }
                     return {};
                   }));
    for (int64_t i = 0; !direct && i < y.count(); ++i) set_integer(y, i, static_cast<double>(to[i]));
    return {};
  }

  static int64_t integer(const Tensor& t, int64_t i) {
    switch (t.dtype()) {
      case DType::Int8:
        return t.data<int8_t>()[i];
      case DType::UInt8:
        return t.data<uint8_t>()[i];
      case DType::Int32:
        return t.data<int32_t>()[i];
      default:
        return t.data<int64_t>()[i];
    }
  }
  template <class T>
  static void store(Tensor& t, int64_t i, double v) {
    constexpr auto least = static_cast<double>(std::numeric_limits<T>::lowest());
    constexpr auto most = static_cast<double>(std::numeric_limits<T>::max());
    t.data<T>()[i] = v >= most    ? std::numeric_limits<T>::max()
                     : v >= least ? static_cast<T>(v)
                                  : std::numeric_limits<T>::lowest();
  }
  static void set_integer(Tensor& t, int64_t i, double v) {
    switch (t.dtype()) {
      case DType::Int8:
        return store<int8_t>(t, i, v);
      case DType::UInt8:
        return store<uint8_t>(t, i, v);
      case DType::Int32:
        return store<int32_t>(t, i, v);
      default:
        return store<int64_t>(t, i, v);
    }
  }

  // tf_crop_and_resize: what lies outside the image has a value of its own.
  Status extrapolate_any(Tensor& y, const Axes& axes) const {
    if (rules_.coordinates != Coordinates::TfCropAndResize) return {};
    for (int i = 0; i < y.rank(); ++i) {
      const ResizeAxis& axis = axes[static_cast<size_t>(i)];
      const int64_t outer = y.shape().count(0, i), inner = y.shape().count(i + 1, y.rank());
      for (int64_t k = 0; k < axis.out; ++k) {
        const double x = axis.source(rules_, k);
        if (x >= 0 && x <= static_cast<double>(axis.in - 1)) continue;
        for (int64_t o = 0; o < outer; ++o) {
          for (int64_t j = 0; j < inner; ++j) set_number(y, (o * axis.out + k) * inner + j);
        }
      }
    }
    return {};
  }
  void set_number(Tensor& y, int64_t i) const {
    if (y.dtype() == DType::Float32) {
      y.data<float>()[i] = extrapolation_;
    } else if (y.dtype() == DType::Float64) {
      y.data<double>()[i] = static_cast<double>(extrapolation_);
    } else {
      set_integer(y, i, static_cast<double>(extrapolation_));
    }
  }

  ImageLayout layout_;
  ResizeRules rules_;
  Aspect aspect_ = Aspect::Stretch;
  std::vector<int64_t> axes_;
  std::vector<float> scales_;  // of old Upsamples
  float extrapolation_ = 0;
  size_t roi_input_ = 1, scales_input_ = 2, sizes_input_ = 3;
};

}  // namespace

constexpr AttributeRange kResizeAttributes[] = {{"antialias", 18}, {"axes", 18}, {"keep_aspect_ratio_policy", 18}};
constexpr AttributeRange kUpsampleAttributes[] = {{"axes", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<Resize>("Resize", 10,
                  {.inputs = 2, .outputs = 1, .layout = layout::image_when_given, .attributes = kResizeAttributes}),
    entry<Resize>("Resize", 11,
                  {.inputs = 4, .outputs = 1, .layout = layout::image_when_given, .attributes = kResizeAttributes}),
    entry<Resize, true>(
        "Upsample", 1,
        {.inputs = 1, .outputs = 1, .layout = layout::image_when_given, .attributes = kUpsampleAttributes}),
    entry<Resize, true>(
        "Upsample", 9,
        {.inputs = 2, .outputs = 1, .layout = layout::image_when_given, .attributes = kUpsampleAttributes}),
};

NM_OPERATORS(resize, kEntries)

}  // namespace nm
