// MaxPool, AveragePool and LpPool. Planes of f32 and bytes go to the kernels; float64, three axes and more, indices and
// p-norms take the definition's loops.
#include <cmath>
#include <limits>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/image/image.h"
#include "engine/ops/nn/window.h"

namespace nm {
namespace {

enum class PoolKind : uint8_t { Max, Average, Lp };

// One window: calls cell(input pixel, its flat index with the first axis fastest) for every cell inside the image and
// returns how many cells lie within the padded image.
template <class F>
int64_t visit_window(const Window& w, const std::array<int64_t, kMaxSpatial>& out, F cell) {
  std::array<int64_t, kMaxSpatial> taps{};
  int64_t padded = 1;
  for (int i = 0; i < w.rank; ++i) {
    const auto k = static_cast<size_t>(i);
    taps[k] = w[i].kernel;
    const int64_t first = out[k] * w[i].stride, room = w[i].pad_begin + w[i].in + w[i].pad_end - first;
    padded *= std::min(w[i].kernel, (room + w[i].dilation - 1) / w[i].dilation);
  }
  for_each_index(std::span(taps).first(static_cast<size_t>(w.rank)), [&](const auto& tap) {
    int64_t pixel = 0, column_major = 0, step = 1;
    for (int i = 0; i < w.rank; ++i) {
      const auto k = static_cast<size_t>(i);
      const int64_t at = out[k] * w[i].stride - w[i].pad_begin + tap[k] * w[i].dilation;
      if (at < 0 || at >= w[i].in) return;
      pixel = pixel * w[i].in + at;
      column_major += at * step;
      step *= w[i].in;
    }
    cell(pixel, column_major);
  });
  return padded;
}

template <class T>
bool is_nan(T v) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(v);
  return false;
}

class Pool final : public Operator {
 public:
  // Whether this build has pools of the kind.
  static bool has(PoolKind kind);

  Pool(Attributes& a, PoolKind kind)
      : kind_(kind),
        window_(a),
        layout_(a),
        include_pad_(a.flag("count_include_pad", false)),
        column_major_(a.flag("storage_order", false)) {
    if (is(PoolKind::Lp)) p_ = a.version() < 2 ? a.number("p", 2) : static_cast<float>(a.integer("p", 2));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(is(PoolKind::Max)
               ? check_type(inference, 0, "the image", {DType::Float32, DType::Float64, DType::Int8, DType::UInt8})
               : check_type(inference, 0, "the image", {DType::Float32, DType::Float64}));
    const DType dtype = inference.type(0);
    inference.output(0, dtype);
    inference.output(1, DType::Int64);
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 3) return wrong_shape("the image", x, "[batch, channels, spatial…]");
    NM_ASSIGN(const Window window, window_.resolve(layout_.spatial(x), {}));
    const auto dims = window.out_dims();
    const Shape y = layout_.shape(x[0], layout_.channels(x), std::span(dims).first(static_cast<size_t>(window.rank)));
    inference.output(0, dtype, y);
    inference.output(1, DType::Int64, y);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    if (execution.output(0).count() == 0) return {};
    NM_ASSIGN(const Window window, window_.resolve(layout_.spatial(x.shape()), {}));
    if (window.rank <= 2 && !is(PoolKind::Lp) && !execution.wants(1) && x.dtype() != DType::Float64) {
      return run_kernel(execution, window);
    }
    const auto by_definition = [&]<class T>() -> Status {
      if constexpr (std::is_floating_point_v<T>) {
        run_any<T>(execution, window);
      } else {
        run_max<T>(execution, window);
      }
      return {};
    };
    switch (x.dtype()) {
      case DType::Float32:
        return call_with<float>(by_definition);
      case DType::Float64:
        return call_with<double>(by_definition);
      case DType::Int8:
        return call_with<int8_t>(by_definition);
      default:
        return call_with<uint8_t>(by_definition);
    }
  }

  double flops(const Inference& inference) const override {
    auto window = window_.resolve(layout_.spatial(inference.shape(0)), {});
    if (!window.ok()) return 0;
    return static_cast<double>(inference.shape(0)[0]) * static_cast<double>(layout_.channels(inference.shape(0))) *
           static_cast<double>(window->out_pixels()) * static_cast<double>(window->taps());
  }

 private:
  bool is(PoolKind kind) const { return has(kind) && kind_ == kind; }

  Status run_kernel(Execution& execution, const Window& window) const {
    const Tensor& x = execution.input(0);
    PoolShape s;
    s.batch = x.dim(0);
    s.channels = layout_.channels(x.shape());
    const WindowAxis& across = window[window.rank - 1];
    s.in_w = across.in;
    s.out_w = across.out;
    s.kernel_w = across.kernel;
    s.stride_w = across.stride;
    s.dilation_w = across.dilation;
    s.pad_left = across.pad_begin;
    s.pad_right = across.pad_end;
    if (window.rank == 2) {
      const WindowAxis& down = window[0];
      s.in_h = down.in;
      s.out_h = down.out;
      s.kernel_h = down.kernel;
      s.stride_h = down.stride;
      s.dilation_h = down.dilation;
      s.pad_top = down.pad_begin;
      s.pad_bottom = down.pad_end;
    }
    NM_ASSIGN(const void* image, layout_.read(execution, x));
    NM_ASSIGN(const ImageLayout::Target target, layout_.target(execution, execution.output(0)));
    const auto* from = static_cast<const float*>(image);
    const PoolKernels& pool = kernels().pool;
    if (selection::has_type(static_cast<int>(DType::Int8)) && x.dtype() == DType::Int8) {
      pool.max_i8(s, static_cast<const int8_t*>(image), static_cast<int8_t*>(target.data()));
    } else if (selection::has_type(static_cast<int>(DType::UInt8)) && x.dtype() == DType::UInt8) {
      pool.max_u8(s, static_cast<const uint8_t*>(image), static_cast<uint8_t*>(target.data()));
    } else if (is(PoolKind::Max)) {
      pool.max(s, from, s.channels, target.floats(), s.channels);
    } else if (has(PoolKind::Average)) {
      pool.average(s, include_pad_, from, s.channels, target.floats(), s.channels);
    }
    target.finish();
    return {};
  }

  // Calls body(first input element, output element, output position) for every image, channel and output pixel; a
  // channel's pixels are `step` elements apart.
  template <class F>
  void for_each_window(const Execution& execution, const Window& w, F body) const {
    const Shape& x = execution.input(0).shape();
    const int64_t channels = layout_.channels(x), in = w.in_pixels(), out = w.out_pixels();
    const auto dims = w.out_dims();
    const bool last = layout_.channels_last();
    thread_pool::parallel_for(x[0] * channels, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t plane = begin; plane < end; ++plane) {
        const int64_t image = plane / channels, channel = plane % channels;
        int64_t pixel = 0;
        for_each_index(std::span(dims).first(static_cast<size_t>(w.rank)), [&](const auto& at) {
          body(last ? image * in * channels + channel : plane * in,
               last ? (image * out + pixel) * channels + channel : plane * out + pixel, plane * in, at);
          ++pixel;
        });
      }
    });
  }

  template <class T>
  void run_any(const Execution& execution, const Window& w) const {
    if (is(PoolKind::Max)) return run_max<T>(execution, w);
    if (!has(PoolKind::Average) && !has(PoolKind::Lp)) return;
    const T* x = execution.data<T>(0);
    T* y = execution.out<T>(0);
    const int64_t step = layout_.channels_last() ? layout_.channels(execution.input(0).shape()) : 1;
    for_each_window(execution, w, [&](int64_t from, int64_t to, int64_t, const auto& at) {
      double sum = 0;
      int64_t inside = 0;
      const int64_t padded = visit_window(w, at, [&](int64_t pixel, int64_t) {
        const auto v = static_cast<double>(x[from + pixel * step]);
        sum += !is(PoolKind::Lp) ? v : std::pow(std::abs(v), static_cast<double>(p_));
        ++inside;
      });
      if (is(PoolKind::Lp)) {
        y[to] = static_cast<T>(std::pow(sum, 1.0 / static_cast<double>(p_)));
      } else {
        y[to] = static_cast<T>(sum / static_cast<double>(include_pad_ ? padded : inside));
      }
    });
  }

  template <class T>
  void run_max(const Execution& execution, const Window& w) const {
    const T* x = execution.data<T>(0);
    T* y = execution.out<T>(0);
    int64_t* indices = execution.wants(1) ? execution.out<int64_t>(1) : nullptr;
    const int64_t step = layout_.channels_last() ? layout_.channels(execution.input(0).shape()) : 1;
    constexpr T lowest =
        std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    for_each_window(execution, w, [&](int64_t from, int64_t to, int64_t plane, const auto& at) {
      T best = lowest;
      int64_t index = -1;
      visit_window(w, at, [&](int64_t pixel, int64_t column_major) {
        const T v = x[from + pixel * step];
        if (is_nan(best) || !(index < 0 || v > best || is_nan(v))) return;  // NaN wins, the first of them
        best = v;
        index = plane + (column_major_ ? column_major : pixel);
      });
      y[to] = best;
      if (indices != nullptr) indices[to] = index;
    });
  }

  PoolKind kind_;
  WindowAttributes window_;
  ImageLayout layout_;
  bool include_pad_;
  bool column_major_;
  float p_ = 2;
};

}  // namespace

constexpr AttributeRange kMaxPoolAttributes[] = {
    {"ceil_mode", 10}, {"count_include_pad", kInNoVersion}, {"dilations", 10}, {"storage_order", 8}};
constexpr AttributeRange kAveragePoolAttributes[] = {
    {"ceil_mode", 10}, {"count_include_pad", 7}, {"dilations", 19}, {"storage_order", kInNoVersion}};
constexpr AttributeRange kLpPoolAttributes[] = {
    {"ceil_mode", 18}, {"count_include_pad", kInNoVersion}, {"dilations", 18}, {"storage_order", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<Pool, PoolKind::Max>("MaxPool", 1,
                               {.inputs = 1, .outputs = 1, .layout = layout::image, .attributes = kMaxPoolAttributes}),
    entry<Pool, PoolKind::Max>("MaxPool", 8,
                               {.inputs = 1, .outputs = 2, .layout = layout::image, .attributes = kMaxPoolAttributes}),
    entry_in<Pool, PoolKind::Max>(kMicrosoftDomain, "NhwcMaxPool", 1,
                                  {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry<Pool, PoolKind::Average>(
        "AveragePool", 1, {.inputs = 1, .outputs = 1, .layout = layout::image, .attributes = kAveragePoolAttributes}),
    entry<Pool, PoolKind::Lp>("LpPool", 1,
                              {.inputs = 1, .outputs = 1, .layout = layout::image, .attributes = kLpPoolAttributes}),
};

bool Pool::has(PoolKind kind) {
  switch (kind) {
    case PoolKind::Max:
      return makes<Pool, PoolKind::Max>(kEntries);
    case PoolKind::Average:
      return makes<Pool, PoolKind::Average>(kEntries);
    default:
      return makes<Pool, PoolKind::Lp>(kEntries);
  }
}

NM_OPERATORS(pool, kEntries)

}  // namespace nm
