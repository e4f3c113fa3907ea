// MaxUnpool: puts values back to where MaxPool found them, zeros everywhere else. Indices count the elements of the
// result, also where output_shape makes it larger than what was pooled (onnx's cases had it otherwise before 1.24).
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/window.h"

namespace nm {
namespace {

class MaxUnpool final : public Operator {
 public:
  explicit MaxUnpool(Attributes& a) : window_(a) { a.require("kernel_shape"); }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 0, "the image", {DType::Float32, DType::Float64}));
    NM_TRY(check_type(inference, 1, "the indices", {DType::Int64}));
    NM_TRY(check_type(inference, 2, "the output's shape", {DType::Int64}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& x = inference.shape(0);
    if (x.rank() < 3) return wrong_shape("the image", x, "[batch, channels, spatial…]");
    if (inference.has_shape(1) && x.known() && inference.shape(1).known() && !(inference.shape(1) == x)) {
      return wrong_shape("the indices", inference.shape(1), to_string(x));
    }
    if (inference.has(2)) {
      const auto sizes = inference.integers(2);
      if (!sizes) {
        inference.output(0, inference.type(0), Shape::filled(x.rank(), kUnknownDim));
        return {};
      }
      if (static_cast<int>(sizes->size()) != x.rank()) {
        return {Code::ShapeMismatch, text("output_shape has ", sizes->size(), " entries; expected ", x.rank())};
      }
      for (int i = 0; i < x.rank(); ++i) {
        const int64_t d = (*sizes)[static_cast<size_t>(i)];
        if (d < 0 || (i < 2 && x[i] >= 0 && d != x[i])) {
          return {Code::InvalidData, text("output_shape asks for ", d, " in dimension ", i, " of ", to_string(x))};
        }
      }
      inference.output(0, inference.type(0), Shape(std::span<const int64_t>(*sizes)));
      return {};
    }
    NM_ASSIGN(const Window w, window_.axes(x.rank() - 2, {}));
    Shape y{x[0], x[1]};
    for (int i = 0; i < w.rank; ++i) {
      const int64_t in = x[i + 2];
      const int64_t out = (in - 1) * w[i].stride + w[i].kernel - w[i].pad_begin - w[i].pad_end;
      if (in >= 0 && (in > int64_t{1} << 30 || out < 0))
        return wrong_shape("the image", x, "a size that can be unpooled");
      y.push_back(in < 0 ? kUnknownDim : out);
    }
    inference.output(0, inference.type(0), y);
    return {};
  }

  Status run(Execution& execution) override {
    return execution.input(0).dtype() == DType::Float32 ? scatter<float>(execution) : scatter<double>(execution);
  }

 private:
  template <class T>
  Status scatter(const Execution& execution) const {
    const Tensor& x = execution.input(0);
    const int64_t count = execution.output(0).count();
    T* out = execution.out<T>(0);
    std::fill_n(out, count, T{0});
    for (int64_t i = 0; i < x.count(); ++i) {
      const int64_t index = execution.data<int64_t>(1)[i];
      if (index < 0 || index >= count) {
        return {Code::InvalidData, text("the index ", index, " lies outside the ", count, " elements of the image")};
      }
      out[index] = x.data<T>()[i];
    }
    return {};
  }

  WindowAttributes window_;
};

}  // namespace

constexpr AttributeRange kMaxUnpoolAttributes[] = {
    {"auto_pad", kInNoVersion}, {"ceil_mode", kInNoVersion}, {"dilations", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<MaxUnpool>("MaxUnpool", 9,
                     {.inputs = 3, .outputs = 1, .layout = layout::opaque, .attributes = kMaxUnpoolAttributes}),
};

NM_OPERATORS(max_unpool, kEntries)

}  // namespace nm
