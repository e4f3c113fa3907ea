#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

Status hand_over(Execution& execution) {
  const Value& value = execution.input_value(0);
  const Tensor* t = value.tensor();
  if (t == nullptr) return execution.set_output(0, value);
  NM_ASSIGN(Tensor kept, keep(*t));
  return execution.set_output(0, std::move(kept));
}

class Optional final : public Movement {
 public:
  explicit Optional(Attributes& a) : type_(a.type("type", {})) {}

  Status infer(Inference& inference) const override {
    inference.output(0, ValueType::optional(inference.has(0) ? inference.value_type(0) : type_));
    return {};
  }

  Status run(Execution& execution) override {
    return execution.has(0) ? hand_over(execution) : execution.set_output(0, Value());
  }

 private:
  ValueType type_;
};

class OptionalHasElement final : public Movement {
 public:
  explicit OptionalHasElement(Attributes&) {}

  Status infer(Inference& inference) const override {
    inference.output(0, DType::Bool, Shape{});
    return {};
  }

  Status run(Execution& execution) override {
    *execution.out<bool>(0) = execution.has(0);
    return {};
  }
};

class OptionalGetElement final : public Movement {
 public:
  explicit OptionalGetElement(Attributes&) {}

  Status infer(Inference& inference) const override {
    if (!inference.has(0)) return {Code::MissingInput, "the optional value is absent"};
    const ValueType& type = inference.value_type(0);
    inference.output(0, type.kind == ValueType::Kind::Optional && type.element ? *type.element : type);
    return {};
  }

  Status run(Execution& execution) override {
    return execution.has(0) ? hand_over(execution) : Status(Code::InvalidData, "the optional value is absent");
  }
};

}  // namespace

constexpr Facts kOptional = {.inputs = 1, .outputs = 1, .layout = layout::opaque};

constexpr OperatorEntry kEntries[] = {
    entry<Optional>("Optional", 15, kOptional),
    entry<OptionalHasElement>("OptionalHasElement", 15, kOptional),
    entry<OptionalGetElement>("OptionalGetElement", 15, kOptional),
};

NM_OPERATORS(optional, kEntries)

}  // namespace nm
