#include <algorithm>

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

template <class T>
Tensor scalar(T value) {
  auto t = Tensor::create(dtype_of<T>, Shape{});
  if (!t.ok()) return {};
  *t->template data<T>() = std::move(value);
  return std::move(*t);
}

template <class T>
Tensor list(const std::vector<T>& values) {
  auto t = Tensor::from<T>(Shape{static_cast<int64_t>(values.size())}, values);
  return t.ok() ? std::move(*t) : Tensor();
}

Status no_value() { return {Code::OutOfMemory, "there is no memory for the value of a constant"}; }

class Constant final : public Movement {
 public:
  explicit Constant(Attributes& a) {
    if (a.has("value")) value_ = a.tensor("value");
    if (a.has("sparse_value")) value_ = a.tensor("sparse_value");  // dense since it was read
    if (a.has("value_int")) value_ = scalar(a.integer("value_int", 0));
    if (a.has("value_ints")) value_ = list(a.integers("value_ints"));
    if (a.has("value_float")) value_ = scalar(a.number("value_float", 0));
    if (a.has("value_floats")) value_ = list(a.numbers("value_floats"));
    if (a.has("value_string")) value_ = scalar(a.string("value_string", ""));
    if (a.has("value_strings")) value_ = list(a.strings("value_strings"));
    // One that is given and not there is one that found no memory.
    const bool given = std::any_of(a.unnoted().begin(), a.unnoted().end(),
                                   [](const auto& attribute) { return attribute.first.starts_with("value_"); });
    if (!value_.defined() && !given) a.fail("the constant has no value");
  }

  Status infer(Inference& inference) const override {
    if (!value_.defined()) return no_value();
    inference.output_value(0, value_);
    return {};
  }
  Status run(Execution& execution) override {
    copy_all(value_, execution.output(0));
    return {};
  }

 private:
  Tensor value_;
};

class ConstantOfShape final : public Movement {
 public:
  explicit ConstantOfShape(Attributes& a) : value_(a.has("value") ? a.tensor("value") : scalar(0.0f)) {
    if (value_.defined() && value_.count() != 1) a.fail("the attribute 'value' must have exactly one element");
  }

  Status infer(Inference& inference) const override {
    if (!value_.defined()) return no_value();
    NM_TRY(check_tensors(inference, 1));
    NM_TRY(check_type(inference, 0, "the shape", {DType::Int64}));
    inference.output(0, value_.dtype());
    if (inference.has_shape(0) && inference.shape(0).rank() != 1)
      return wrong_shape("the shape", inference.shape(0), "a list");
    if (const auto dims = inference.integers(0)) {
      NM_ASSIGN(const Shape shape, check_shape(*dims));
      inference.output(0, value_.dtype(), shape);
    } else if (inference.has_shape(0) && inference.shape(0)[0] >= 0 && inference.shape(0)[0] <= kMaxRank) {
      inference.output(0, value_.dtype(), Shape::filled(static_cast<int>(inference.shape(0)[0]), kUnknownDim));
    }
    return {};
  }

  Status run(Execution& execution) override {
    fill(execution.output(0), value_.raw());
    return {};
  }

 private:
  Tensor value_;
};

std::optional<DimList> filled_contents(const ShapeQuery& q) {
  const auto count = q.element(0);
  const auto it = q.node.attributes.find("value");
  const Tensor* value = it == q.node.attributes.end() ? nullptr : std::get_if<Tensor>(&it->second);
  const bool sized =
      count && !count->is_dim && count->value >= 0 && count->value <= static_cast<int64_t>(kMostDimEntries);
  if (!is_index(q.output().type.dtype) || !sized || value == nullptr || value->count() != 1) return std::nullopt;
  return DimList(static_cast<size_t>(count->value), DimEntry::number(integer_at(*value, 0)));
}

std::optional<Shape> filled_shape(const ShapeQuery& q) {
  const auto dims = q.input(0);
  return dims ? contents::to_shape(*dims) : std::nullopt;
}

}  // namespace

constexpr AttributeRange kConstantAttributes[] = {{"sparse_value", 11}, {"value_float", 12}, {"value_floats", 12},
                                                  {"value_int", 12},    {"value_ints", 12},  {"value_string", 12},
                                                  {"value_strings", 12}};

constexpr OperatorEntry kEntries[] = {
    entry<Constant>("Constant", 1,
                    {.inputs = 0, .outputs = 1, .layout = layout::opaque, .attributes = kConstantAttributes}),
    entry<ConstantOfShape>(
        "ConstantOfShape", 9,
        {.inputs = 1, .outputs = 1, .layout = layout::opaque, .contents = filled_contents, .shape = filled_shape}),
};

NM_OPERATORS(constant, kEntries)

}  // namespace nm
