// Conv, and com.microsoft's FusedConv. Inputs: images, weights, bias, and a residual that is added before the
// activation (FusedConv's Z; fuse_residual gives it to Conv).
#include "engine/base/memory.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/image/image.h"
#include "engine/ops/math/scalar_function.h"
#include "engine/ops/nn/activation.h"
#include "engine/ops/nn/direct_conv.h"
#include "engine/ops/nn/plane_conv.h"

namespace nm {
namespace {

FusedActivation microsoft_activation(Attributes& a) {
  const std::string name = a.string("activation", "");
  const std::vector<float> params = a.numbers("activation_params");
  if (name.empty()) return {};
  const std::pair<std::string_view, Unary> functions[] = {
      {"Relu", Unary::Relu},           {"Tanh", Unary::Tanh}, {"Sigmoid", Unary::Sigmoid},
      {"LeakyRelu", Unary::LeakyRelu}, {"Clip", Unary::Clip}, {"HardSigmoid", Unary::HardSigmoid},
  };
  for (const auto& [known, function] : functions) {
    if (known != name) continue;
    const UnaryParameters usual = usual_parameters(function);
    return {a.function(function, name), params.empty() ? usual.a : params[0], params.size() < 2 ? usual.b : params[1]};
  }
  a.unsupported(text("the activation '", name, "' is not supported in FusedConv"));
  return {};
}

class Conv final : public Operator {
 public:
  explicit Conv(Attributes& a)
      : window_(a),
        groups_(a.integer("group", 1)),
        layout_(a),
        residual_last_(a.flag("nm_residual_last", false)),
        activation_(a.domain() == kMicrosoftDomain ? microsoft_activation(a) : FusedActivation(a)) {
    if (groups_ < 1) a.fail(text("the attribute 'group' is ", groups_, "; expected 1 at least"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 0, "the image", {DType::Float32, DType::Float64}));
    const DType dtype = inference.type(0);
    SourceType packed;
    if (dtype == DType::Float32 && !source_type(inference.type(1), packed) && inference.type(1) != DType::Undefined) {
      return wrong_type("the weights", inference.type(1), "float32, like the image");
    }
    if (dtype == DType::Float64) NM_TRY(common_type(inference, 0, 3).take_status());
    if (dtype == DType::Float64 && (inference.has(3) || activation_.function != Unary::Copy)) {
      return {Code::UnsupportedOperator, "a convolution in float64 with a fused residual or activation"};
    }
    if (dtype != DType::Undefined) {
      NM_TRY(check_type(inference, 2, "the bias", {dtype}));
      NM_TRY(check_type(inference, 3, "the residual", {dtype}));
      inference.output(0, dtype);
    }
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 3) return wrong_shape("the image", x, "[batch, channels, spatial…]");
    if (!inference.has_shape(1)) {
      inference.output(0, dtype, Shape::filled(x.rank(), kUnknownDim));
      return {};
    }
    const Shape& w = inference.shape(1);
    if (w.rank() != x.rank()) return wrong_shape("the weights", w, text("rank ", x.rank(), ", like the image"));
    NM_TRY(check_weights(w));
    const int64_t channels = layout_.channels(x);
    if (channels >= 0 && w[1] >= 0 && (channels % groups_ != 0 || channels / groups_ != w[1])) {
      return wrong_shape(
          "the weights", w,
          text("[…, ", channels / groups_, ", …] for an image of ", channels, " channels in ", groups_, " groups"));
    }
    if (inference.has_shape(2) && w[0] >= 0 && !(inference.shape(2) == Shape{w[0]}) && inference.shape(2).known()) {
      return wrong_shape("the bias", inference.shape(2), text("[", w[0], "]"));
    }
    NM_ASSIGN(const Window window, window_.resolve(layout_.spatial(x), w.dims().subspan(2)));
    const auto dims = window.out_dims();
    const Shape y = layout_.shape(x[0], w[0], std::span(dims).first(static_cast<size_t>(window.rank)));
    if (inference.has_shape(3) && inference.shape(3).known() && y.known() && !(inference.shape(3) == y)) {
      return wrong_shape("the residual", inference.shape(3), to_string(y));
    }
    inference.output(0, dtype, y);
    return {};
  }

  Status prepare(Preparation& preparation) override {
    const Tensor* w = preparation.constant(1);
    SourceType type;
    if (w == nullptr || w->rank() < 3 || !source_type(w->dtype(), type)) return {};
    if (!check_weights(w->shape()).ok()) return {};  // reported when shapes are inferred
    const auto kernel = w->shape().dims().subspan(2);
    const std::optional<Shape>& x = preparation.graph().value(preparation.node().input(0)).shape;
    const bool sized = x && x->rank() == w->rank();
    auto window = sized ? window_.resolve(layout_.spatial(*x), kernel) : window_.axes(w->rank() - 2, kernel);
    if (!window.ok()) return {};
    const int64_t batch = sized ? (*x)[0] : 1, in_c = w->dim(1) * groups_;
    winograd_ = PlaneConv(false, *window, batch, in_c, w->dim(0), groups_).prefers_winograd();
    const PlaneConv conv(false, *window, batch, in_c, w->dim(0), groups_, winograd_);
    packed_ = Buffer(Size(conv.packed_size()) * sizeof(float));
    if (!packed_.ok()) return {Code::OutOfMemory, "there is no memory for the weights of a convolution"};
    NM_TRY(conv.pack(w->raw(), type, floats(packed_)));
    preparation.keeps(packed_.size());
    preparation.consume(1);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    Tensor& y = execution.output(0);
    if (y.count() == 0) return {};
    NM_ASSIGN(const Window window,
              window_.resolve(layout_.spatial(x.shape()), execution.input(1).shape().dims().subspan(2)));
    if (selection::has_type(static_cast<int>(DType::Float64)) && x.dtype() == DType::Float64) {
      return run_double(execution, window);
    }
    const PlaneConv conv(false, window, x.dim(0), layout_.channels(x.shape()), layout_.channels(y.shape()), groups_,
                         winograd_);
    const float* packed = floats(packed_);
    if (packed == nullptr) {
      SourceType type = SourceType::F32;
      source_type(execution.input(1).dtype(), type);
      NM_ASSIGN(float* dynamic, execution.scratch<float>(Size(conv.packed_size())));
      NM_TRY(conv.pack(execution.input(1).raw(), type, dynamic));
      packed = dynamic;
    }
    NM_ASSIGN(const void* image, layout_.read(execution, x));
    Epilogue epilogue;
    if (execution.has(2)) epilogue.bias = execution.data<float>(2);
    if (execution.has(3)) {
      NM_ASSIGN(const void* residual, layout_.read(execution, execution.input(3)));
      epilogue.residual = static_cast<const float*>(residual);
      epilogue.ldr = layout_.channels(y.shape());
    }
    activation_.put(epilogue);
    epilogue.residual_last = residual_last_;
    NM_ASSIGN(const ImageLayout::Target target, layout_.target(execution, y));
    NM_TRY(conv.run(execution, static_cast<const float*>(image), packed, target.floats(), epilogue));
    target.finish();
    return {};
  }

  bool in_place(size_t i) const override { return i == 3; }
  bool packs_float16(size_t i) const override { return i == 1; }

  double flops(const Inference& inference) const override {
    const Shape& w = inference.shape(1);
    auto window = window_.resolve(layout_.spatial(inference.shape(0)), w.dims().subspan(2));
    if (!window.ok()) return 0;
    return 2.0 * static_cast<double>(inference.shape(0)[0]) * static_cast<double>(window->out_pixels()) *
           static_cast<double>(w.count());
  }
  std::string kernel(const Inference& inference) const override {
    const Shape& w = inference.shape(1);
    std::string taps;
    for (const int64_t d : w.dims().subspan(2)) taps += text(taps.empty() ? "" : "x", d);
    return text(winograd_ ? "Winograd " : w[1] == 1 && w[0] == groups_ ? "depthwise " : "direct ", taps);
  }

 private:
  static float* floats(const Buffer& b) { return reinterpret_cast<float*>(b.data()); }

  Status check_weights(const Shape& w) const {
    for (const int64_t d : w) {
      if (d == 0) return wrong_shape("the weights", w, "no empty dimension");
    }
    if (w[0] >= 0 && w[0] % groups_ != 0) {
      return wrong_shape("the weights", w, text("a first dimension that ", groups_, " groups divide"));
    }
    return {};
  }

  Status run_double(Execution& execution, const Window& window) const {
    const Tensor& w = execution.input(1);
    const DirectConvShape shape{execution.input(0).dim(0), layout_.channels(execution.input(0).shape()), w.dim(0),
                                groups_, window};
    NM_ASSIGN(double* packed, execution.scratch<double>(Size(w.count())));
    direct_conv_pack(shape, w.data<double>(), packed);
    NM_ASSIGN(const void* x, layout_.read(execution, execution.input(0)));
    NM_ASSIGN(const ImageLayout::Target target, layout_.target(execution, execution.output(0)));
    auto* y = static_cast<double*>(target.data());
    for (int64_t i = 0; i < execution.output(0).count(); ++i)
      y[i] = execution.has(2) ? execution.data<double>(2)[i % shape.out_c] : 0;
    direct_conv_run(shape, static_cast<const double*>(x), packed, y);
    target.finish();
    return {};
  }

  WindowAttributes window_;
  int64_t groups_;
  ImageLayout layout_;
  bool residual_last_;  // act(sum) + residual
  FusedActivation activation_;
  bool winograd_ = false;
  Buffer packed_;
};

}  // namespace

constexpr AttributeRange kConvAttributes[] = {{"ceil_mode", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<Conv>("Conv", 1,
                {.inputs = 3,
                 .outputs = 1,
                 .layout = layout::image_and_residual,
                 .takes_activation = true,
                 .attributes = kConvAttributes}),
    entry_in<Conv>(kMicrosoftDomain, "FusedConv", 1, {.inputs = 4, .outputs = 1, .layout = layout::image_and_residual}),
    entry_in<Conv>(kMicrosoftDomain, "NhwcFusedConv", 1, {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
    entry_in<Conv>(kMicrosoftDomain, "NhwcConv", 1, {.inputs = 3, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(conv, kEntries)

}  // namespace nm
