// Operators that go by the distance from the diagonal: Trilu and EyeLike.
#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/element.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

class Trilu final : public Movement {
 public:
  explicit Trilu(Attributes& a) : upper_(a.flag("upper", true)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 1, "the diagonal", {DType::Int64}));
    NM_TRY(check_scalar(inference, 1, "the diagonal"));
    if (is_packed(inference.type(0)) || inference.type(0) == DType::String)
      return wrong_type("the input", inference.type(0), "numbers or bool");
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    if (inference.shape(0).rank() < 2) return wrong_shape("the input", inference.shape(0), "at least two dimensions");
    inference.output(0, inference.type(0), inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    Tensor& out = execution.output(0);
    copy_all(execution.input(0), out);
    if (out.count() == 0) return {};
    const int64_t columns = out.shape().back();
    const int64_t rows = out.dim(out.rank() - 2);
    const int64_t k = std::clamp(execution.has(1) ? integer_at(execution.input(1), 0) : 0, -rows, columns);
    const size_t size = static_cast<size_t>(dtype_bits(out.dtype()) / 8);
    auto* row = static_cast<uint8_t*>(out.raw());
    for (int64_t i = 0; i < out.count() / columns; ++i, row += static_cast<size_t>(columns) * size) {
      // Columns before `edge` lie under the diagonal for the upper part, on or under it for the lower one.
      const int64_t edge = std::clamp<int64_t>(i % rows + k + (upper_ ? 0 : 1), 0, columns);
      const int64_t begin = upper_ ? 0 : edge;
      const int64_t end = upper_ ? edge : columns;
      std::fill(row + static_cast<size_t>(begin) * size, row + static_cast<size_t>(end) * size, uint8_t{0});
    }
    return {};
  }

  bool in_place(size_t i) const override { return i == 0; }

 private:
  bool upper_;
};

class EyeLike final : public Movement {
 public:
  explicit EyeLike(Attributes& a) : dtype_(type_attribute(a, "dtype", DType::Undefined)), k_(a.integer("k", 0)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    const DType t = dtype_ == DType::Undefined ? inference.type(0) : dtype_;
    if (t != DType::Undefined && (!can_cast(t) || is_packed(t) || t == DType::String)) {
      return wrong_type("the output", t, "numbers or bool");
    }
    inference.output(0, t);
    if (!inference.has_shape(0)) return {};
    if (inference.shape(0).rank() != 2) return wrong_shape("the input", inference.shape(0), "two dimensions");
    inference.output(0, t, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    Tensor& out = execution.output(0);
    std::fill_n(static_cast<uint8_t*>(out.raw()), out.bytes(), uint8_t{0});
    const float number = 1;
    NM_ASSIGN(const Tensor one, Tensor::from<float>(Shape{}, std::span(&number, 1)));
    NM_ASSIGN(Tensor value, Tensor::create(out.dtype(), Shape{}));
    NM_TRY(cast(one, value));
    const int64_t rows = out.dim(0);
    const int64_t columns = out.dim(1);
    if (k_ <= -rows || k_ >= columns) return {};
    for (int64_t i = std::max<int64_t>(0, -k_); i < rows && i + k_ < columns; ++i) {
      copy_run(out.dtype(), value.raw(), 0, out.raw(), i * columns + i + k_, 1);
    }
    return {};
  }

 private:
  DType dtype_;
  int64_t k_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Trilu>("Trilu", 14, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
    entry<EyeLike>("EyeLike", 9, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(diagonal, kEntries)

}  // namespace nm
