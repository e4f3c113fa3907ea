// Operators whose output's size depends on the data: NonZero and Compress.
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

class NonZero final : public Movement {
 public:
  explicit NonZero(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    if (is_packed(inference.type(0))) return wrong_type("the input", inference.type(0), "a type of whole bytes");
    inference.output(0, DType::Int64, Shape{kUnknownDim, kUnknownDim});
    if (inference.has_shape(0)) inference.output(0, DType::Int64, Shape{inference.shape(0).rank(), kUnknownDim});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Result<Tensor*> result(nullptr);
    with_element(in.dtype(), [&]<class T>() {
      const T* x = static_cast<const T*>(in.raw());
      int64_t found = 0;
      for (int64_t i = 0; i < in.count(); ++i) found += is_set(in.dtype(), x[i]);
      result = execution.allocate(0, DType::Int64, Shape{in.rank(), found});
      if (!result.ok()) return;
      int64_t* out = (*result)->template data<int64_t>();
      int64_t next = 0;
      for (int64_t i = 0; i < in.count(); ++i) {
        if (!is_set(in.dtype(), x[i])) continue;
        int64_t rest = i;
        for (int d = in.rank() - 1; d >= 0; --d) {
          out[d * found + next] = rest % in.dim(d);
          rest /= in.dim(d);
        }
        ++next;
      }
    });
    return result.take_status();
  }

 private:
  static bool is_set(DType, const std::string& text) { return !text.empty(); }
  static bool is_set(DType, const Bytes16& x) { return (x.low | x.high) != 0; }
  // A float's sign alone makes no number.
  template <class T>
  static bool is_set(DType t, T bits) {
    return is_float(t) ? static_cast<T>(bits << 1) != 0 : bits != 0;
  }
};

class Compress final : public Movement {
 public:
  explicit Compress(Attributes& a) : flat_(!a.has("axis")), axis_(a.integer("axis", 0)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_type(inference, 1, "the condition", {DType::Bool}));
    if (inference.has_shape(1) && inference.shape(1).rank() != 1)
      return wrong_shape("the condition", inference.shape(1), "a list");
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    Shape out = flat_ ? Shape{kUnknownDim} : inference.shape(0);
    NM_ASSIGN(const int axis, check_axis(axis_, out.rank()));
    out[axis] = kUnknownDim;
    const Shape& in = inference.shape(0);
    if (in.known() && inference.has_shape(1) && inference.shape(1)[0] > (flat_ ? in.count() : in[axis])) {
      return wrong_shape("the condition", inference.shape(1), text("at most as many as the input, ", to_string(in)));
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    const Tensor& condition = execution.input(1);
    const bool* chosen = condition.data<bool>();
    Shape shape = flat_ ? Shape{in.count()} : in.shape();
    const int axis = flat_ ? 0 : normalize_axis(axis_, in.rank());
    const int64_t dim = shape[axis];
    const int64_t outer = shape.count(0, axis);
    const int64_t inner = shape.count(axis + 1, shape.rank());
    shape[axis] = 0;
    for (int64_t i = 0; i < condition.count(); ++i) shape[axis] += chosen[i];
    NM_ASSIGN(Tensor * out, execution.allocate(0, in.dtype(), shape));
    int64_t next = 0;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < condition.count(); ++i) {
        if (!chosen[i]) continue;
        copy_run(in.dtype(), in.raw(), (o * dim + i) * inner, out->raw(), next, inner);
        next += inner;
      }
    }
    return {};
  }

 private:
  bool flat_;
  int64_t axis_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<NonZero>("NonZero", 9, {.inputs = 1, .outputs = 1, .layout = layout::opaque}),
    entry<Compress>("Compress", 9, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(select, kEntries)

}  // namespace nm
