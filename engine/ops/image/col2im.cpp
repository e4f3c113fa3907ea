// Col2Im: the sum of overlapping blocks, the columns of the input, at their places in an image.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/window.h"
#include "engine/tensor/cast.h"

namespace nm {
namespace {

class Col2Im final : public Operator {
 public:
  explicit Col2Im(Attributes& a) : window_(a) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_number(inference, 0, "the columns"));
    NM_TRY(check_type(inference, 1, "the image's shape", {DType::Int32, DType::Int64}));
    NM_TRY(check_type(inference, 2, "the block's shape", {DType::Int32, DType::Int64}));
    inference.output(0, inference.type(0));
    const auto image = inference.integers(1), block = inference.integers(2);
    if (!image || !block || !inference.has_shape(0)) return {};
    NM_ASSIGN(const Window w, resolve(*image, *block));
    const Shape& x = inference.shape(0);
    if (x.rank() != 3 || (x[1] >= 0 && x[1] % w.taps() != 0) || (x[2] >= 0 && x[2] != w.out_pixels())) {
      return wrong_shape("the columns", x, text("[batch, channels · ", w.taps(), ", ", w.out_pixels(), "]"));
    }
    Shape y{x[0], x[1] < 0 ? kUnknownDim : x[1] / w.taps()};
    for (const int64_t d : *image) y.push_back(d);
    inference.output(0, inference.type(0), y);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    if (in.dtype() == DType::Float32) return add<float>(execution, in, out);
    if (in.dtype() == DType::Float64) return add<double>(execution, in, out);
    // Sums that wrap around in 64 bits do so in fewer.
    NM_ASSIGN(uint64_t * from, execution.scratch<uint64_t>(Size(in.count())));
    NM_ASSIGN(uint64_t * to, execution.scratch<uint64_t>(Size(out.count())));
    Tensor columns = Tensor::view(DType::UInt64, in.shape(), from);
    Tensor image = Tensor::view(DType::UInt64, out.shape(), to);
    NM_TRY(cast(in, columns));
    NM_TRY(add<uint64_t>(execution, columns, image));
    return cast(image, out);
  }

 private:
  Result<Window> resolve(const std::vector<int64_t>& image, const std::vector<int64_t>& block) const {
    if (image.empty() || image.size() > static_cast<size_t>(kMaxSpatial) || image.size() != block.size()) {
      return Status(Code::ShapeMismatch, text("the image has ", image.size(), " dimensions and the block ",
                                              block.size(), "; expected as many of each, one at least"));
    }
    constexpr int64_t limit = int64_t{1} << 31;
    int64_t pixels = 1, taps = 1;
    for (size_t i = 0; i < image.size(); ++i) {
      const bool sensible = image[i] > 0 && block[i] > 0 && image[i] <= limit / pixels && block[i] <= limit / taps;
      if (!sensible) {
        return Status(Code::InvalidData,
                      text("an image of ", image[i], " cells and a block of ", block[i], " make no sense"));
      }
      pixels *= image[i];
      taps *= block[i];
    }
    return window_.resolve(image, block);
  }

  static std::vector<int64_t> integers(const Tensor& t) {
    std::vector<int64_t> out;
    for (int64_t i = 0; i < t.count(); ++i) {
      out.push_back(t.dtype() == DType::Int64 ? t.data<int64_t>()[i] : t.data<int32_t>()[i]);
    }
    return out;
  }

  template <class T>
  Status add(const Execution& execution, const Tensor& x, Tensor& out) const {
    NM_ASSIGN(const Window w, resolve(integers(execution.input(1)), integers(execution.input(2))));
    const int64_t pixels = w.in_pixels(), blocks = w.out_pixels(), taps = w.taps();
    const T* from = x.data<T>();
    T* to = out.data<T>();
    std::fill_n(to, out.count(), T{0});
    const auto dims = w.out_dims();
    std::array<int64_t, kMaxSpatial> kernel{};
    for (int i = 0; i < w.rank; ++i) kernel[static_cast<size_t>(i)] = w[i].kernel;
    const auto rank = static_cast<size_t>(w.rank);
    for (int64_t plane = 0; plane < x.dim(0) * x.dim(1) / taps; ++plane) {
      const T* column = from + plane * taps * blocks;
      for_each_index(std::span(kernel).first(rank), [&](const auto& tap) {
        for_each_index(std::span(dims).first(rank), [&](const auto& block) {
          int64_t pixel = 0;
          bool inside = true;
          for (int i = 0; i < w.rank; ++i) {
            const auto k = static_cast<size_t>(i);
            const int64_t at = block[k] * w[i].stride - w[i].pad_begin + tap[k] * w[i].dilation;
            inside = inside && at >= 0 && at < w[i].in;
            pixel = pixel * w[i].in + at;
          }
          if (inside) to[plane * pixels + pixel] += *column;
          ++column;
        });
      });
    }
    return {};
  }

  WindowAttributes window_;
};

}  // namespace

constexpr AttributeRange kCol2ImAttributes[] = {
    {"auto_pad", kInNoVersion}, {"ceil_mode", kInNoVersion}, {"kernel_shape", kInNoVersion}};

constexpr OperatorEntry kEntries[] = {
    entry<Col2Im>("Col2Im", 18, {.inputs = 3, .outputs = 1, .layout = layout::opaque, .attributes = kCol2ImAttributes}),
};

NM_OPERATORS(col2im, kEntries)

}  // namespace nm
