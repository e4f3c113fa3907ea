// Operators that draw numbers. With a seed, and also without one, a session draws the same numbers each time it is
// loaded, and new ones with each run.
#include "engine/base/random.h"

#include <algorithm>
#include <bit>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

class Drawing : public Movement {
 public:
  bool pure() const override { return false; }

 protected:
  explicit Drawing(Attributes& a) : random_(std::bit_cast<uint32_t>(a.number("seed", 0))) {}

  // Numbers from draw() in the output's type.
  template <class F>
  Status fill(Execution& execution, F&& draw) {
    Tensor& out = execution.output(0);
    NM_ASSIGN(double* numbers, execution.scratch<double>(Size(out.count())));
    for (int64_t i = 0; i < out.count(); ++i) numbers[i] = draw(i);
    return cast(Tensor::view(DType::Float64, out.shape(), numbers), out);
  }

  Random random_;
};

class Distribution final : public Drawing {
 public:
  Distribution(Attributes& a, bool normal, bool like)
      : Drawing(a),
        normal_(normal),
        like_(like),
        dtype_(type_attribute(a, "dtype", like ? DType::Undefined : DType::Float32)),
        shape_(a.integers("shape")) {
    first_ = normal ? a.number("mean", 0) : a.number("low", 0);
    second_ = normal ? a.number("scale", 1) : a.number("high", 1);
    if (!like) a.require("shape");
  }

  Status infer(Inference& inference) const override {
    if (like_) NM_TRY(check_tensors(inference, 1));
    const DType type = dtype_ == DType::Undefined ? inference.type(0) : dtype_;
    if (type != DType::Undefined && !is_float(type)) return wrong_type("the output", type, "floats");
    inference.output(0, type);
    if (!like_) {
      NM_ASSIGN(const Shape shape, check_shape(shape_));
      inference.output(0, type, shape);
    } else if (inference.has_shape(0)) {
      inference.output(0, type, inference.shape(0));
    }
    return {};
  }

  Status run(Execution& execution) override {
    return fill(execution, [&](int64_t) {
      return normal_ ? first_ + second_ * random_.normal() : first_ + (second_ - first_) * random_.uniform();
    });
  }

 private:
  bool normal_;
  bool like_;
  DType dtype_;
  std::vector<int64_t> shape_;
  double first_;
  double second_;
};

class Bernoulli final : public Drawing {
 public:
  explicit Bernoulli(Attributes& a) : Drawing(a), dtype_(type_attribute(a, "dtype", DType::Undefined)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the probabilities"));
    const DType type = dtype_ == DType::Undefined ? inference.type(0) : dtype_;
    if (type != DType::Undefined && !can_cast(type)) return wrong_type("the output", type, "numbers or bool");
    inference.output(0, type);
    if (inference.has_shape(0)) inference.output(0, type, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    NM_ASSIGN(double* chance, execution.scratch<double>(Size(in.count())));
    Tensor wide = Tensor::view(DType::Float64, in.shape(), chance);
    NM_TRY(cast(in, wide));
    return fill(execution, [&](int64_t i) { return random_.uniform() < chance[i] ? 1.0 : 0.0; });
  }

 private:
  DType dtype_;
};

class Multinomial final : public Drawing {
 public:
  explicit Multinomial(Attributes& a)
      : Drawing(a), dtype_(type_attribute(a, "dtype", DType::Int32)), samples_(a.integer("sample_size", 1)) {
    if (!is_index(dtype_)) a.fail("the attribute 'dtype' must be int32 or int64");
    if (samples_ < 1) a.fail(text("the attribute 'sample_size' is ", samples_, "; it must be positive"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_float(inference, 0, "the logarithms of the probabilities"));
    inference.output(0, dtype_);
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    if (in.rank() != 2 || in[1] == 0) return wrong_shape("the input", in, "[batch, classes]");
    inference.output(0, dtype_, Shape{in[0], samples_});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const int64_t classes = in.dim(1);
    NM_ASSIGN(double* sums, execution.scratch<double>(Size(in.count())));
    Tensor wide = Tensor::view(DType::Float64, in.shape(), sums);
    NM_TRY(cast(in, wide));
    for (int64_t b = 0; b < in.dim(0); ++b) {
      double* row = sums + b * classes;
      const double largest = *std::max_element(row, row + classes);
      double sum = 0;
      for (int64_t i = 0; i < classes; ++i) row[i] = sum += std::exp(row[i] - largest);
    }
    return fill(execution, [&](int64_t i) {
      const double* row = sums + i / samples_ * classes;
      const double at = random_.uniform() * row[classes - 1];
      return static_cast<double>(std::min<int64_t>(std::upper_bound(row, row + classes, at) - row, classes - 1));
    });
  }

 private:
  DType dtype_;
  int64_t samples_;
};

}  // namespace

constexpr AttributeRange kNoShape[] = {{"shape", kInNoVersion}};

constexpr Facts kLike = {.inputs = 1, .outputs = 1, .layout = layout::opaque, .attributes = kNoShape};

constexpr OperatorEntry kEntries[] = {
    entry<Distribution, true, false>("RandomNormal", 1, {.inputs = 0, .outputs = 1, .layout = layout::opaque}),
    entry<Distribution, true, true>("RandomNormalLike", 1, kLike),
    entry<Distribution, false, false>("RandomUniform", 1, {.inputs = 0, .outputs = 1, .layout = layout::opaque}),
    entry<Distribution, false, true>("RandomUniformLike", 1, kLike),
    entry<Bernoulli>("Bernoulli", 15, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry<Multinomial>("Multinomial", 7, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(random, kEntries)

}  // namespace nm
