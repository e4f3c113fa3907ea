// ConvInteger and QLinearConv: convolutions of 8-bit images with 8-bit weights, summed exactly in 32 bits.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/image/image.h"
#include "engine/ops/nn/direct_conv.h"
#include "engine/ops/quantized/byte_product.h"

namespace nm {
namespace {

class IntegerConv final : public Operator {
 public:
  explicit IntegerConv(Attributes& a, bool quantizes)
      : quantizes_(quantizes),
        window_(a),
        groups_(a.integer("group", 1)),
        layout_(a),
        low_(a.integer("nm_low", INT32_MIN)),
        high_(a.integer("nm_high", INT32_MAX)) {
    if (groups_ < 1) a.fail(text("the attribute 'group' is ", groups_, "; expected 1 at least"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, quantizes_ ? 8 : 2));
    NM_TRY(check_type(inference, x_input, "the image", {DType::Int8, DType::UInt8}));
    NM_TRY(check_type(inference, weights(), "the weights", {DType::Int8, DType::UInt8}));
    NM_TRY(check_zero_point(inference, x_zero(), x_input));
    NM_TRY(check_zero_point(inference, weights_zero(), weights()));
    DType dtype = DType::Int32;
    if (quantizes_) {
      NM_TRY(check_type(inference, y_zero, "the output's zero point", {DType::Int8, DType::UInt8}));
      NM_TRY(check_type(inference, bias, "the bias", {DType::Int32}));
      for (const size_t i : {x_scale, weights_scale, y_scale})
        NM_TRY(check_type(inference, i, "a scale", {DType::Float32}));
      for (const size_t i : {x_scale, y_scale, y_zero}) NM_TRY(check_scalar(inference, i, "a scale or zero point"));
      dtype = inference.type(y_zero);
    }
    NM_TRY(check_scalar(inference, x_zero(), "the image's zero point"));
    inference.output(0, dtype);
    if (!inference.has_shape(x_input)) return {};
    const Shape& x = inference.shape(x_input);
    if (x.rank() < 3) return wrong_shape("the image", x, "[batch, channels, spatial…]");
    if (!inference.has_shape(weights())) return {};
    const Shape& w = inference.shape(weights());
    if (w.rank() != x.rank()) return wrong_shape("the weights", w, text("rank ", x.rank(), ", like the image"));
    for (const int64_t d : w) {
      if (d == 0) return wrong_shape("the weights", w, "no empty dimension");
    }
    const int64_t channels = layout_.channels(x);
    if (w[0] >= 0 && w[0] % groups_ != 0) {
      return wrong_shape("the weights", w, text("a first dimension that ", groups_, " groups divide"));
    }
    if (channels >= 0 && w[1] >= 0 && (channels % groups_ != 0 || channels / groups_ != w[1])) {
      return wrong_shape(
          "the weights", w,
          text("[…, ", channels / groups_, ", …] for an image of ", channels, " channels in ", groups_, " groups"));
    }
    for (const size_t i : {weights_zero(), quantizes_ ? weights_scale : SIZE_MAX, quantizes_ ? bias : SIZE_MAX}) {
      if (i == SIZE_MAX || !inference.has_shape(i) || !inference.shape(i).known() || w[0] < 0) continue;
      const int64_t n = inference.shape(i).count();
      if (n != w[0] && (n != 1 || i == bias))
        return wrong_shape(text("input ", i), inference.shape(i), text("[", w[0], "]"));
    }
    NM_ASSIGN(const Window window, window_.resolve(layout_.spatial(x), w.dims().subspan(2)));
    const auto dims = window.out_dims();
    inference.output(0, dtype, layout_.shape(x[0], w[0], std::span(dims).first(static_cast<size_t>(window.rank))));
    return {};
  }

  Status prepare(Preparation& preparation) override {
    const Tensor *w = preparation.constant(weights()), *zero = preparation.constant(weights_zero());
    if (w == nullptr || w->rank() < 3 || w->rank() > 4 ||
        (zero == nullptr && preparation.node().input(weights_zero()) != kNone))
      return {};
    // What infer would refuse, it will.
    if (w->count() == 0 || w->dim(0) % groups_ != 0 || !is_byte(w->dtype())) return {};
    if (zero && (zero->dtype() != w->dtype() || (zero->count() != 1 && zero->count() != w->dim(0)))) return {};
    auto window = window_.axes(w->rank() - 2, w->shape().dims().subspan(2));
    if (!window.ok()) return {};
    NM_TRY(packed_.pack(plane(*window, 1, *w), packing(*w, zero)));
    preparation.keeps(packed_.bytes());
    preparation.consume(weights());
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor &x = execution.input(x_input), &w = execution.input(weights());
    Tensor& y = execution.output(0);
    if (y.count() == 0) return {};
    NM_ASSIGN(const Window window, window_.resolve(layout_.spatial(x.shape()), w.shape().dims().subspan(2)));
    NM_ASSIGN(const void* image, layout_.read(execution, x));
    NM_ASSIGN(const ImageLayout::Target target, layout_.target(execution, y));
    IntegerEpilogue epilogue;
    if (quantizes_) {
      if (execution.has(bias)) epilogue.bias = execution.data<int32_t>(bias);
      NM_ASSIGN(epilogue.scales, scales(execution, w.dim(0)));
      quantize_to(epilogue, y.dtype(), byte_at(execution.input(y_zero), 0));
      epilogue.low = static_cast<int32_t>(std::max<int64_t>(epilogue.low, low_));
      epilogue.high = static_cast<int32_t>(std::min<int64_t>(epilogue.high, high_));
    }
    if (window.rank <= 2) {
      NM_TRY(run_plane(execution, window, image, target.data(), epilogue));
    } else {
      NM_TRY(run_volume(execution, window, image, target.data(), epilogue));
    }
    target.finish();
    return {};
  }

  double flops(const Inference& inference) const override {
    const Shape& w = inference.shape(weights());
    auto window = window_.resolve(layout_.spatial(inference.shape(x_input)), w.dims().subspan(2));
    if (!window.ok()) return 0;
    return 2.0 * static_cast<double>(inference.shape(x_input)[0]) * static_cast<double>(window->out_pixels()) *
           static_cast<double>(w.count());
  }

 private:
  // ConvInteger: x, w, x_zero, w_zero. QLinearConv: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias.
  static constexpr size_t x_input = 0, x_scale = 1, weights_scale = 4, y_scale = 6, y_zero = 7, bias = 8;
  size_t weights() const { return quantizes_ ? 3 : 1; }
  size_t x_zero() const { return 2; }
  size_t weights_zero() const { return quantizes_ ? 5 : 3; }

  static Status check_zero_point(const Inference& inference, size_t zero, size_t of) {
    if (inference.type(zero) == DType::Undefined || inference.type(of) == DType::Undefined ||
        inference.type(zero) == inference.type(of))
      return {};
    return wrong_type(text("the zero point, input ", zero), inference.type(zero), dtype_name(inference.type(of)));
  }

  ConvShape plane(const Window& window, int64_t batch, const Tensor& w) const {
    const WindowAxis row;  // of height 1
    const WindowAxis &v = window.rank == 2 ? window[0] : row, &h = window[window.rank - 1];
    ConvShape s;
    s.batch = batch;
    s.in_c = w.dim(1) * groups_;
    s.out_c = w.dim(0);
    s.groups = groups_;
    s.in_w = h.in;
    s.out_w = h.out;
    s.kernel_w = h.kernel;
    s.stride_w = h.stride;
    s.dilation_w = h.dilation;
    s.pad_left = h.pad_begin;
    if (window.rank < 2) return s;
    s.in_h = v.in;
    s.out_h = v.out;
    s.kernel_h = v.kernel;
    s.stride_h = v.stride;
    s.dilation_h = v.dilation;
    s.pad_top = v.pad_begin;
    return s;
  }

  static IntegerWeights packing(const Tensor& w, const Tensor* zero) {
    const int64_t taps = w.shape().count(2, w.rank());
    return {{w.raw(), w.dtype() == DType::Int8}, w.dim(1) * taps, taps, 1, zero ? zero->raw() : nullptr,
            zero && zero->count() > 1 ? 1 : 0};
  }

  Result<const float*> scales(const Execution& execution, int64_t channels) const {
    const Tensor& each = execution.input(weights_scale);
    const float x = *execution.data<float>(x_scale), y = *execution.data<float>(y_scale);
    NM_ASSIGN(float* scales, execution.scratch<float>(Size(channels)));
    for (int64_t i = 0; i < channels; ++i) scales[i] = x * each.data<float>()[each.count() == 1 ? 0 : i] / y;
    return static_cast<const float*>(scales);
  }

  Status run_plane(const Execution& execution, const Window& window, const void* image, void* y,
                   const IntegerEpilogue& epilogue) {
    const Tensor& w = execution.input(weights());
    PackedBytes now;
    const PackedBytes* packed = &packed_;
    if (!packed->ok()) {
      NM_TRY(now.pack(plane(window, 1, w), packing(w, input_or_null(execution, weights_zero()))));
      packed = &now;
    }
    IntegerProduct p;
    p.shape = plane(window, execution.input(x_input).dim(0), w);
    p.x = {image, execution.input(x_input).dtype() == DType::Int8};
    p.ldx = p.shape.in_c;
    p.x_zeros = raw_or_null(input_or_null(execution, x_zero()));
    p.packed = packed->matrix(0);
    p.y = y;
    p.ldy = p.shape.out_c;
    p.epilogue = epilogue;
    return run_product(execution, p);
  }

  // More than two spatial axes, by the definition.
  Status run_volume(const Execution& execution, const Window& window, const void* bytes, void* y,
                    const IntegerEpilogue& epilogue) const {
    const Tensor &x = execution.input(x_input), &w = execution.input(weights());
    const DirectConvShape shape{x.dim(0), layout_.channels(x.shape()), w.dim(0), groups_, window};
    const Tensor lined_up = Tensor::view(x.dtype(), x.shape(), const_cast<void*>(bytes));
    const Tensor *x_zeros = input_or_null(execution, x_zero()), *w_zeros = input_or_null(execution, weights_zero());
    NM_ASSIGN(int32_t * image, execution.scratch<int32_t>(Size(x.count())));
    const int32_t zero = x_zeros ? byte_at(*x_zeros, 0) : 0;
    for (int64_t i = 0; i < x.count(); ++i) image[i] = byte_at(lined_up, i) - zero;
    NM_ASSIGN(int32_t * plain, execution.scratch<int32_t>(Size(w.count())));
    NM_ASSIGN(int32_t * packed, execution.scratch<int32_t>(Size(w.count())));
    const int64_t per_channel = w.count() / w.dim(0);
    for (int64_t i = 0; i < w.count(); ++i) {
      const int64_t channel = w_zeros && w_zeros->count() > 1 ? i / per_channel : 0;
      plain[i] = byte_at(w, i) - (w_zeros ? byte_at(*w_zeros, channel) : 0);
    }
    direct_conv_pack(shape, plain, packed);
    const int64_t pixels = shape.batch * window.out_pixels();
    NM_ASSIGN(int32_t * sums, execution.scratch<int32_t>(Size(pixels) * shape.out_c));
    std::fill_n(sums, pixels * shape.out_c, 0);
    direct_conv_run(shape, image, packed, sums);
    kernels().integer.finish(epilogue, sums, pixels, shape.out_c, y);
    return {};
  }

  bool quantizes_;
  WindowAttributes window_;
  int64_t groups_;
  ImageLayout layout_;
  int64_t low_, high_;  // bounds of the quantised result: a fused activation
  PackedBytes packed_;
};

}  // namespace

constexpr AttributeRange kConvIntegerAttributes[] = {{"ceil_mode", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<IntegerConv, false>(
        "ConvInteger", 10, {.inputs = 4, .outputs = 1, .layout = layout::image, .attributes = kConvIntegerAttributes}),
    entry<IntegerConv, true>(
        "QLinearConv", 10, {.inputs = 9, .outputs = 1, .layout = layout::image, .attributes = kConvIntegerAttributes}),
    entry_in<IntegerConv, true>(kMicrosoftDomain, "QLinearConv", 1,
                                {.inputs = 9, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(integer_conv, kEntries)

}  // namespace nm
