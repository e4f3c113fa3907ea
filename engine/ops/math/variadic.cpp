// Sum, Mean, Max and Min of any number of tensors.
#include <algorithm>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/binary.h"
#include "engine/tensor/broadcast.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

class Variadic final : public Operator {
 public:
  Variadic(Attributes& a, Binary f, bool mean = false) : f_(f), mean_(mean), may_overwrite_(a.input_count() <= 2) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, inference.input_count()));
    if (inference.input_count() == 0) return {Code::MissingInput, "the operator needs at least one input"};
    NM_TRY(check_number(inference, 0, "input 0"));
    NM_ASSIGN(const DType type, common_type(inference, 0, inference.input_count()));
    inference.output(0, type);
    Shape shape;
    for (size_t i = 0; i < inference.input_count(); ++i) {
      if (!inference.has_shape(i)) return {};
      NM_ASSIGN(shape, broadcast_or_fail(shape, inference.shape(i)));
    }
    inference.output(0, type, shape);
    return {};
  }

  Status run(Execution& execution) override {
    Tensor& out = execution.output(0);
    if (execution.input_count() == 1) {
      copy_all(execution.input(0), out);
      return {};
    }
    NM_TRY(apply_binary(f_, execution.input(0), execution.input(1), execution.input(1).shape(), out));
    for (size_t i = 2; i < execution.input_count(); ++i)
      NM_TRY(apply_binary(f_, out, execution.input(i), execution.input(i).shape(), out));
    return mean_ ? divide(out, static_cast<int64_t>(execution.input_count())) : Status();
  }

  // With more inputs, one that shares memory with the first could still be needed after it is overwritten.
  bool in_place(size_t i) const override { return may_overwrite_ && i < 2; }
  std::optional<Pointwise> pointwise(const Inference& inference) const override {
    return mean_ || inference.input_count() < 2 ? std::nullopt : std::optional(Pointwise{f_});
  }

 private:
  static Status divide(Tensor& out, int64_t count) {
    return with_number(out.dtype(), [&]<class T>() -> Status {
      for (T& v : out.span<T>()) v = mean_of<T>(v, count);
      return {};
    });
  }

  Binary f_;
  bool mean_;
  bool may_overwrite_;
};

DimEntry greater_entry(const ShapeQuery&, const DimEntry& a, const DimEntry& b) {
  return contents::of_sizes(a, b, [](int64_t x, int64_t y) { return std::max(x, y); });
}
DimEntry lesser_entry(const ShapeQuery&, const DimEntry& a, const DimEntry& b) {
  return contents::of_sizes(a, b, [](int64_t x, int64_t y) { return std::min(x, y); });
}

constexpr Facts variadic(ContentsRule contents) {
  return {.inputs = kAny, .outputs = 1, .layout = layout::elementwise, .contents = contents};
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Variadic, Binary::Add>("Sum", 1, variadic(nullptr)),
    entry<Variadic, Binary::Add, true>("Mean", 1, variadic(nullptr)),
    entry<Variadic, Binary::Max>("Max", 1, variadic(contents::elementwise<greater_entry>)),
    entry<Variadic, Binary::Min>("Min", 1, variadic(contents::elementwise<lesser_entry>)),
};

NM_OPERATORS(variadic, kEntries)

}  // namespace nm
