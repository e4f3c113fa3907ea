#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class If final : public Movement {
 public:
  explicit If(Attributes& a) : graphs_{a.graph("else_branch"), a.graph("then_branch")} {
    a.require("then_branch");
    a.require("else_branch");
  }

  Status prepare(Preparation& p) override {
    for (size_t i = 0; i < 2; ++i) {
      NM_ASSIGN(bodies_[i], p.compile(graphs_[i]));
    }
    return {};
  }

  Status infer(Inference& inference) const override {
    if (!inference.has(0)) return {Code::MissingInput, "the condition (input 0) is missing"};
    NM_TRY(check_type(inference, 0, "the condition", {DType::Bool}));
    NM_TRY(check_scalar(inference, 0, "the condition"));
    for (const auto& graph : graphs_) {
      if (!graph->inputs.empty()) return {Code::InvalidModel, "a branch of If must have no inputs of its own"};
      if (graph->outputs.size() != inference.output_count()) {
        return {Code::InvalidModel,
                text("a branch yields ", graph->outputs.size(), " values for ", inference.output_count(), " outputs")};
      }
    }
    for (size_t o = 0; o < inference.output_count(); ++o) {
      const ValueType& one = graphs_[1]->value(graphs_[1]->outputs[o]).type;
      const ValueType& other = graphs_[0]->value(graphs_[0]->outputs[o]).type;
      if (to_string(one) == to_string(other)) inference.output(o, one);
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor* condition = execution.has(0) ? execution.input_value(0).tensor() : nullptr;
    if (condition == nullptr || condition->dtype() != DType::Bool || condition->count() != 1) {
      return {Code::TypeMismatch, "the condition must be one bool"};
    }
    Body& body = *bodies_[*condition->data<bool>() ? 1 : 0];
    std::vector<Value> outputs;
    Status s;
    if (suspended_) {
      s = body.resume(outputs);
    } else {
      body.bind_captures(execution);
      s = body.run({}, outputs);
    }
    suspended_ = s.code() == Code::Suspended;
    if (!suspended_) body.abandon();
    NM_TRY(std::move(s));
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (execution.wants(o)) NM_TRY(execution.set_output(o, std::move(outputs[o])));
    }
    return {};
  }

  // Captures, which the branches make dense where they have to.
  bool takes_growing(size_t i) const override { return i > 0; }

  void keep_output(size_t o, Stored stored) override {
    for (const auto& body : bodies_) body->keep_output(o, stored);
  }

  void abandon() override {
    for (const auto& body : bodies_) body->abandon();
    suspended_ = false;
  }

 private:
  std::shared_ptr<Graph> graphs_[2];  // else, then
  std::unique_ptr<Body> bodies_[2];
  bool suspended_ = false;  // in the body that the condition chose
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<If>("If", 1, {.inputs = 1, .outputs = kAny, .layout = layout::opaque}),
};

NM_OPERATORS(if, kEntries)

}  // namespace nm
