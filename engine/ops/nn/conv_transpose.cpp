// ConvTranspose: every input pixel spreads over a window of the output. Pads crop the output.
#include <algorithm>

#include "engine/base/memory.h"
#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/image/image.h"
#include "engine/ops/nn/activation.h"
#include "engine/ops/nn/plane_conv.h"

namespace nm {
namespace {

class ConvTranspose final : public Operator {
 public:
  explicit ConvTranspose(Attributes& a)
      : window_(a),
        output_padding_(a.integers("output_padding")),
        output_shape_(a.integers("output_shape")),
        groups_(a.integer("group", 1)),
        layout_(a),
        activation_(a) {
    selection::note(selection::Part::TransposedConv);
    if (groups_ < 1) a.fail(text("the attribute 'group' is ", groups_, "; expected 1 at least"));
    for (const auto* list : {&output_padding_, &output_shape_}) {
      for (const int64_t v : *list) {
        if (v < 0 || v > int64_t{1} << 30) a.fail(text("an output size or padding of ", v, " makes no sense"));
      }
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 0, "the image", {DType::Float32}));
    SourceType packed;
    if (!source_type(inference.type(1), packed) && inference.type(1) != DType::Undefined) {
      return wrong_type("the weights", inference.type(1), "float32, like the image");
    }
    NM_TRY(check_type(inference, 2, "the bias", {DType::Float32}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 3) return wrong_shape("the image", x, "[batch, channels, spatial…]");
    if (!inference.has_shape(1)) {
      inference.output(0, inference.type(0), Shape::filled(x.rank(), kUnknownDim));
      return {};
    }
    const Shape& w = inference.shape(1);
    if (w.rank() != x.rank()) return wrong_shape("the weights", w, text("rank ", x.rank(), ", like the image"));
    NM_TRY(check_weights(w));
    const int64_t channels = layout_.channels(x), out_c = w[1] < 0 ? kUnknownDim : w[1] * groups_;
    if (channels >= 0 && w[0] >= 0 && channels != w[0]) {
      return wrong_shape("the weights", w, text("[", channels, ", …] for an image of ", channels, " channels"));
    }
    if (inference.has_shape(2) && inference.shape(2).known() && out_c >= 0 && !(inference.shape(2) == Shape{out_c})) {
      return wrong_shape("the bias", inference.shape(2), text("[", out_c, "]"));
    }
    NM_ASSIGN(const Window window, resolve(x, w));
    const auto dims = window.out_dims();
    inference.output(0, inference.type(0),
                     layout_.shape(x[0], out_c, std::span(dims).first(static_cast<size_t>(window.rank))));
    return {};
  }

  Status prepare(Preparation& preparation) override {
    const Tensor* w = preparation.constant(1);
    SourceType type;
    if (w == nullptr || w->rank() < 3 || !source_type(w->dtype(), type)) return {};
    if (!check_weights(w->shape()).ok()) return {};  // reported when shapes are inferred
    const std::optional<Shape>& x = preparation.graph().value(preparation.node().input(0)).shape;
    const bool sized = x && x->rank() == w->rank();
    auto window = sized ? resolve(*x, w->shape()) : window_.axes(w->rank() - 2, w->shape().dims().subspan(2));
    if (!window.ok()) return {};
    const int64_t batch = sized ? (*x)[0] : 1, out_c = w->dim(1) * groups_;
    winograd_ = PlaneConv(true, *window, batch, w->dim(0), out_c, groups_).prefers_winograd();
    const PlaneConv conv(true, *window, batch, w->dim(0), out_c, groups_, winograd_);
    packed_ = Buffer(Size(conv.packed_size()) * sizeof(float));
    if (!packed_.ok()) return {Code::OutOfMemory, "there is no memory for the weights of a convolution"};
    NM_TRY(conv.pack(w->raw(), type, reinterpret_cast<float*>(packed_.data())));
    preparation.keeps(packed_.size());
    preparation.consume(1);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    Tensor& y = execution.output(0);
    if (y.count() == 0) return {};
    NM_ASSIGN(const Window window, resolve(x.shape(), execution.input(1).shape()));
    const PlaneConv conv(true, window, x.dim(0), layout_.channels(x.shape()), layout_.channels(y.shape()), groups_,
                         winograd_);
    const float* packed = reinterpret_cast<const float*>(packed_.data());
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
    activation_.put(epilogue);
    NM_ASSIGN(const ImageLayout::Target target, layout_.target(execution, y));
    NM_TRY(conv.run(execution, static_cast<const float*>(image), packed, target.floats(), epilogue));
    target.finish();
    return {};
  }

  bool packs_float16(size_t i) const override { return i == 1; }

  double flops(const Inference& inference) const override {
    return 2.0 * static_cast<double>(inference.shape(0)[0]) * static_cast<double>(layout_.pixels(inference.shape(0))) *
           static_cast<double>(inference.shape(1).count());
  }

 private:
  Status check_weights(const Shape& w) const {
    for (const int64_t d : w) {
      if (d == 0) return wrong_shape("the weights", w, "no empty dimension");
    }
    if (w[0] >= 0 && w[0] % groups_ != 0) {
      return wrong_shape("the weights", w, text("a first dimension that ", groups_, " groups divide"));
    }
    return {};
  }

  Result<Window> resolve(const Shape& x, const Shape& w) const {
    const auto in = layout_.spatial(x);
    NM_ASSIGN(Window window, window_.axes(static_cast<int>(in.size()), w.dims().subspan(2)));
    if (!output_padding_.empty() && output_padding_.size() != in.size()) {
      return Status(Code::InvalidModel, text("the attribute 'output_padding' has ", output_padding_.size(),
                                             " entries; expected ", in.size()));
    }
    // Files that say the whole output shape, batch and channels first, are in use.
    const size_t skip = output_shape_.size() == in.size() + 2 ? 2 : 0;
    if (!output_shape_.empty() && output_shape_.size() != in.size() + skip) {
      return Status(Code::InvalidModel,
                    text("the attribute 'output_shape' has ", output_shape_.size(), " entries; expected ", in.size()));
    }
    for (size_t i = 0; i < in.size(); ++i) {
      WindowAxis& axis = window[static_cast<int>(i)];
      axis.in = in[i];
      if (axis.in < 0 || axis.kernel < 0) {
        if (!output_shape_.empty()) axis.out = output_shape_[i + skip];
        continue;
      }
      if (axis.in == 0 || axis.in > int64_t{1} << 30) {
        return Status(Code::ShapeMismatch, text("an image of ", axis.in, " cells cannot be convolved"));
      }
      const int64_t full =
          (axis.in - 1) * axis.stride + axis.extent() + (output_padding_.empty() ? 0 : output_padding_[i]);
      const bool same = window_.auto_pad == AutoPad::SameUpper || window_.auto_pad == AutoPad::SameLower;
      if (!output_shape_.empty() || same) {
        axis.out = output_shape_.empty() ? axis.in * axis.stride : output_shape_[i + skip];
        const int64_t crop = std::max<int64_t>(0, full - axis.out);
        axis.pad_begin = window_.auto_pad == AutoPad::SameUpper ? crop / 2 : crop - crop / 2;
        axis.pad_end = crop - axis.pad_begin;
        continue;
      }
      axis.out = full - axis.pad_begin - axis.pad_end;
      if (axis.out < 0) {
        return Status(Code::ShapeMismatch, text("padding of ", axis.pad_begin, " + ", axis.pad_end,
                                                " crops more than the output's ", full, " cells"));
      }
    }
    return window;
  }

  WindowAttributes window_;
  std::vector<int64_t> output_padding_, output_shape_;
  int64_t groups_;
  ImageLayout layout_;
  FusedActivation activation_;
  bool winograd_ = false;
  Buffer packed_;
};

}  // namespace

constexpr AttributeRange kConvTransposeAttributes[] = {{"ceil_mode", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<ConvTranspose>("ConvTranspose", 1,
                         {.inputs = 3,
                          .outputs = 1,
                          .layout = layout::image,
                          .takes_activation = true,
                          .single_precision = true,
                          .attributes = kConvTransposeAttributes}),
};

NM_OPERATORS(conv_transpose, kEntries)

}  // namespace nm
