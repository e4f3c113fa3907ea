// ConvInteger and QLinearConv: convolutions of 8-bit images with 8-bit weights, summed exactly in 32 bits.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/check.h"
#include "engine/ops/direct_conv.h"
#include "engine/ops/image.h"

namespace nm {
namespace {

int32_t byte_at(const Tensor& t, int64_t i) {
  return t.dtype() == DType::Int8 ? t.data<int8_t>()[i] : t.data<uint8_t>()[i];
}

class IntegerConv final : public Operator {
 public:
  explicit IntegerConv(Attributes& a, bool quantizes)
      : quantizes_(quantizes), window_(a), groups_(a.integer("group", 1)), layout_(a) {
    if (groups_ < 1) a.fail(text("the attribute 'group' is ", groups_, "; expected 1 at least"));
  }

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, quantizes_ ? 8 : 2));
    NM_TRY(check_type(c, x_input, "the image", {DType::Int8, DType::UInt8}));
    NM_TRY(check_type(c, weights(), "the weights", {DType::Int8, DType::UInt8}));
    NM_TRY(check_zero_point(c, x_zero(), x_input));
    NM_TRY(check_zero_point(c, weights_zero(), weights()));
    DType dtype = DType::Int32;
    if (quantizes_) {
      NM_TRY(check_type(c, y_zero, "the output's zero point", {DType::Int8, DType::UInt8}));
      NM_TRY(check_type(c, bias, "the bias", {DType::Int32}));
      for (const size_t i : {x_scale, weights_scale, y_scale}) NM_TRY(check_type(c, i, "a scale", {DType::Float32}));
      for (const size_t i : {x_scale, y_scale, y_zero}) NM_TRY(check_scalar(c, i, "a scale or zero point"));
      dtype = c.type(y_zero);
    }
    NM_TRY(check_scalar(c, x_zero(), "the image's zero point"));
    c.output(0, dtype);
    if (!c.has_shape(x_input)) return {};
    const Shape& x = c.shape(x_input);
    if (x.rank() < 3) return wrong_shape("the image", x, "[batch, channels, spatial…]");
    if (!c.has_shape(weights())) return {};
    const Shape& w = c.shape(weights());
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
      if (i == SIZE_MAX || !c.has_shape(i) || !c.shape(i).known() || w[0] < 0) continue;
      const int64_t n = c.shape(i).count();
      if (n != w[0] && (n != 1 || i == bias)) return wrong_shape(text("input ", i), c.shape(i), text("[", w[0], "]"));
    }
    NM_ASSIGN(const Window window, window_.resolve(layout_.spatial(x), w.dims().subspan(2)));
    const auto dims = window.out_dims();
    c.output(0, dtype, layout_.shape(x[0], w[0], std::span(dims).first(static_cast<size_t>(window.rank))));
    return {};
  }

  Status run(Execution& c) override {
    const Tensor &x = c.input(x_input), &w = c.input(weights());
    Tensor& y = c.output(0);
    if (y.count() == 0) return {};
    NM_ASSIGN(const Window window, window_.resolve(layout_.spatial(x.shape()), w.shape().dims().subspan(2)));
    const DirectConvShape shape{x.dim(0), layout_.channels(x.shape()), w.dim(0), groups_, window};
    NM_ASSIGN(int32_t * image, c.scratch<int32_t>(x.count()));
    NM_ASSIGN(const void* bytes, layout_.read(c, x));
    const Tensor lined_up = Tensor::view(x.dtype(), x.shape(), const_cast<void*>(bytes));
    const int32_t zero = c.has(x_zero()) ? byte_at(c.input(x_zero()), 0) : 0;
    for (int64_t i = 0; i < x.count(); ++i) image[i] = byte_at(lined_up, i) - zero;

    NM_ASSIGN(int32_t * plain, c.scratch<int32_t>(w.count()));
    NM_ASSIGN(int32_t * packed, c.scratch<int32_t>(w.count()));
    const int64_t per_channel = w.count() / w.dim(0);
    for (int64_t i = 0; i < w.count(); ++i) plain[i] = byte_at(w, i) - weights_zero_of(c, i / per_channel);
    direct_conv_pack(shape, plain, packed);

    NM_ASSIGN(const ImageLayout::Target target, layout_.target(c, y));
    auto* sums = static_cast<int32_t*>(target.data());
    if (quantizes_) {
      NM_ASSIGN(sums, c.scratch<int32_t>(y.count()));
    }
    const int32_t* biases = quantizes_ && c.has(bias) ? c.data<int32_t>(bias) : nullptr;
    for (int64_t i = 0; i < y.count(); ++i) sums[i] = biases ? biases[i % shape.out_c] : 0;
    direct_conv_run(shape, image, packed, sums);
    if (quantizes_) quantize(c, shape.out_c, sums, target.data(), y);
    target.finish();
    return {};
  }

  double flops(const Inference& c) const override {
    const Shape& w = c.shape(weights());
    auto window = window_.resolve(layout_.spatial(c.shape(x_input)), w.dims().subspan(2));
    if (!window.ok()) return 0;
    return 2.0 * static_cast<double>(c.shape(x_input)[0]) * static_cast<double>(window->out_pixels()) *
           static_cast<double>(w.count());
  }

 private:
  // ConvInteger: x, w, x_zero, w_zero. QLinearConv: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias.
  static constexpr size_t x_input = 0, x_scale = 1, weights_scale = 4, y_scale = 6, y_zero = 7, bias = 8;
  size_t weights() const { return quantizes_ ? 3 : 1; }
  size_t x_zero() const { return 2; }
  size_t weights_zero() const { return quantizes_ ? 5 : 3; }

  static Status check_zero_point(const Inference& c, size_t zero, size_t of) {
    if (c.type(zero) == DType::Undefined || c.type(of) == DType::Undefined || c.type(zero) == c.type(of)) return {};
    return wrong_type(text("the zero point, input ", zero), c.type(zero), dtype_name(c.type(of)));
  }

  int32_t weights_zero_of(const Execution& c, int64_t channel) const {
    if (!c.has(weights_zero())) return 0;
    const Tensor& t = c.input(weights_zero());
    return byte_at(t, t.count() == 1 ? 0 : channel);
  }

  static void quantize(const Execution& c, int64_t channels, const int32_t* sums, void* y, const Tensor& output) {
    const Tensor& scales = c.input(weights_scale);
    const float x_by_y = c.data<float>(x_scale)[0], by = c.data<float>(y_scale)[0];
    const auto zero = static_cast<float>(byte_at(c.input(y_zero), 0));
    const bool is_signed = output.dtype() == DType::Int8;
    const float low = is_signed ? -128 : 0, high = is_signed ? 127 : 255;
    for (int64_t i = 0; i < output.count(); ++i) {
      const float scale = x_by_y * scales.data<float>()[scales.count() == 1 ? 0 : i % channels] / by;
      const float v = std::nearbyint(static_cast<float>(sums[i]) * scale) + zero;
      const float inside = v > low ? std::min(v, high) : low;  // NaN, of a scale of 0, becomes low
      if (is_signed) {
        static_cast<int8_t*>(y)[i] = static_cast<int8_t>(inside);
      } else {
        static_cast<uint8_t*>(y)[i] = static_cast<uint8_t>(inside);
      }
    }
  }

  bool quantizes_;
  WindowAttributes window_;
  int64_t groups_;
  ImageLayout layout_;
};

}  // namespace

NM_OPERATORS(integer_conv) {
  r.add<IntegerConv, false>("ConvInteger", 10);
  r.add<IntegerConv, true>("QLinearConv", 10);
  r.add_in<IntegerConv, true>(kMicrosoftDomain, "QLinearConv", 1);
}

}  // namespace nm
