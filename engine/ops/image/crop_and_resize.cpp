// com.microsoft's CropAndResize: boxes of images, given in shares of their sides, at one size.
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class CropAndResize final : public Operator {
 public:
  explicit CropAndResize(Attributes& a) : outside_(a.number("extrapolation_value", 0)) {
    const std::string mode = a.string("mode", "bilinear");
    nearest_ = mode == "nearest";
    if (!nearest_ && mode != "bilinear") {
      a.fail(text("the attribute 'mode' is '", mode, "'; expected bilinear or nearest"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 4));
    for (const size_t i : {0, 1}) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32, DType::Float16, DType::BFloat16}));
    }
    for (const size_t i : {2, 3}) NM_TRY(check_type(inference, i, text("input ", i), {DType::Int32}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const Shape &x = inference.shape(0), &boxes = inference.shape(1);
    if (x.rank() != 4) return wrong_shape("the images (input 0)", x, "[batch,channels,height,width]");
    if (boxes.rank() != 2 || (boxes[1] >= 0 && boxes[1] != 4))
      return wrong_shape("the boxes (input 1)", boxes, "[boxes,4]");
    if (inference.has_shape(2) && inference.shape(2).known() && boxes[0] >= 0 &&
        inference.shape(2) != Shape{boxes[0]}) {
      return wrong_shape("the images of the boxes (input 2)", inference.shape(2), to_string(Shape{boxes[0]}));
    }
    Shape out{boxes[0], x[1], kUnknownDim, kUnknownDim};
    if (const auto size = inference.integers(3)) {
      if (size->size() != 2 || (*size)[0] < 1 || (*size)[1] < 1) {
        return {Code::InvalidData, "the size of the crops (input 3) must be two positive numbers"};
      }
      out[2] = (*size)[0];
      out[3] = (*size)[1];
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    for (const size_t i : {0, 1}) {
      if (execution.input(i).dtype() != DType::Float32) return no_arithmetic(execution.input(i).dtype());
    }
    const Tensor& x = execution.input(0);
    const Shape& out = execution.output(0).shape();
    const int64_t height = x.dim(2), width = x.dim(3), plane = height * width;
    for (int64_t n = 0; n < out[0]; ++n) {
      const int32_t image = execution.data<int32_t>(2)[n];
      if (image < 0 || image >= x.dim(0)) {
        return {Code::InvalidData, text("the image ", image, " is outside of a batch of ", x.dim(0))};
      }
      const float* box = execution.data<float>(1) + 4 * n;
      for (int64_t i = 0; i < out[2] * out[3]; ++i) {
        const float y = place(box[0], box[2], i / out[3], out[2], height);
        const float at = place(box[1], box[3], i % out[3], out[3], width);
        const bool inside =
            y >= 0 && y <= static_cast<float>(height - 1) && at >= 0 && at <= static_cast<float>(width - 1);
        for (int64_t ch = 0; ch < out[1]; ++ch) {
          const float* from = x.data<float>() + (image * out[1] + ch) * plane;
          execution.out<float>(0)[(n * out[1] + ch) * out[2] * out[3] + i] =
              inside ? sample(from, width, y, at) : outside_;
        }
      }
    }
    return {};
  }

 private:
  // Where line i of `count` lies between the ends of a box, corners on corners.
  static float place(float begin, float end, int64_t i, int64_t count, int64_t size) {
    const auto last = static_cast<float>(size - 1);
    if (count == 1) return 0.5f * (begin + end) * last;
    return begin * last + static_cast<float>(i) * ((end - begin) * last / static_cast<float>(count - 1));
  }

  float sample(const float* plane, int64_t width, float y, float x) const {
    if (nearest_) return plane[static_cast<int64_t>(std::round(y)) * width + static_cast<int64_t>(std::round(x))];
    const auto top = static_cast<int64_t>(std::floor(y)), bottom = static_cast<int64_t>(std::ceil(y));
    const auto left = static_cast<int64_t>(std::floor(x)), right = static_cast<int64_t>(std::ceil(x));
    const float down = y - static_cast<float>(top), across = x - static_cast<float>(left);
    const auto between = [&](const float* row) { return row[left] + (row[right] - row[left]) * across; };
    const float upper = between(plane + top * width), lower = between(plane + bottom * width);
    return upper + (lower - upper) * down;
  }

  float outside_;
  bool nearest_ = false;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<CropAndResize>(kMicrosoftDomain, "CropAndResize", 1,
                            {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(crop_and_resize, kEntries)

}  // namespace nm
