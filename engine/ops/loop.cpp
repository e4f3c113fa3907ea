#include "engine/ops/check.h"
#include "engine/ops/movement.h"
#include "engine/ops/stack.h"

namespace nm {
namespace {

// Inputs: the largest number of iterations, the condition, and the state. The body takes the iteration's number, the
// condition and the state; it yields the condition, the state and what is collected.
class Loop final : public Movement {
 public:
  explicit Loop(Attributes& a) : graph_(a.graph("body")), inputs_(a.node().explicit_inputs) {
    a.require("body");
    if (graph_ == nullptr) return;
    if (inputs_ < 2 || graph_->inputs.size() != inputs_ || graph_->outputs.size() + 1 < inputs_) {
      a.fail(text("the loop's body takes ", graph_->inputs.size(), " values and yields ", graph_->outputs.size(),
                  ", which does not fit the loop's ", inputs_, " inputs"));
    }
  }

  Status prepare(Preparation& p) override {
    NM_ASSIGN(body_, p.compile(graph_));
    return {};
  }

  Status infer(Inference& c) const override {
    if (c.has(0)) {
      NM_TRY(check_type(c, 0, "the number of iterations", {DType::Int64}));
      NM_TRY(check_scalar(c, 0, "the number of iterations"));
    }
    if (c.has(1)) {
      NM_TRY(check_type(c, 1, "the condition", {DType::Bool}));
      NM_TRY(check_scalar(c, 1, "the condition"));
    }
    if (c.output_count() > graph_->outputs.size() - 1) {
      return {Code::InvalidModel, text("the loop's body yields too little for ", c.output_count(), " outputs")};
    }
    for (size_t o = 0; o < c.output_count(); ++o) c.output(o, graph_->value(graph_->outputs[o + 1]).type);
    return {};
  }

  Status run(Execution& c) override {
    const size_t states = inputs_ - 2;
    NM_ASSIGN(const int64_t most, limit(c));
    NM_ASSIGN(bool go_on, truth(c.has(1) ? &c.input_value(1) : nullptr, true));
    std::vector<Value> state;
    for (size_t i = 0; i < states; ++i) state.push_back(c.has(i + 2) ? c.input_value(i + 2) : Value());
    std::vector<std::vector<Value>> collected(graph_->outputs.size() - 1 - states);
    NM_ASSIGN(Tensor number, Tensor::create(DType::Int64, Shape{}));
    NM_ASSIGN(Tensor condition, Tensor::create(DType::Bool, Shape{}));
    body_->bind_captures(c);
    int64_t i = 0;
    for (; i < most && go_on; ++i) {
      *number.data<int64_t>() = i;
      *condition.data<bool>() = true;
      std::vector<Value> inputs{number, condition};
      inputs.insert(inputs.end(), state.begin(), state.end());
      std::vector<Value> outputs;
      NM_TRY(body_->run(std::move(inputs), outputs));
      NM_ASSIGN(go_on, truth(&outputs[0], true));
      for (size_t s = 0; s < states; ++s) state[s] = std::move(outputs[s + 1]);
      for (size_t s = 0; s < collected.size(); ++s) {
        if (c.wants(states + s)) collected[s].push_back(std::move(outputs[states + 1 + s]));
      }
    }
    for (size_t s = 0; s < states; ++s) {
      if (!c.wants(s)) continue;
      if (const Tensor* t = state[s].tensor()) {
        NM_ASSIGN(state[s], keep(*t));
      }
      NM_TRY(c.set_output(s, std::move(state[s])));
    }
    for (size_t s = 0; s < collected.size(); ++s) {
      const size_t o = states + s;
      if (!c.wants(o)) continue;
      const GraphValue& value = graph_->value(graph_->outputs[o + 1]);
      NM_TRY(i > 0 ? stack_output(c, o, collected[s], 0, false) : empty_output(c, o, value.type.dtype, value.shape));
    }
    return {};
  }

 private:
  static Result<int64_t> limit(const Execution& c) {
    if (!c.has(0)) return INT64_MAX;
    const Tensor* t = c.input_value(0).tensor();
    if (t == nullptr || t->dtype() != DType::Int64 || t->count() != 1) {
      return Status(Code::TypeMismatch, "the number of iterations must be one int64");
    }
    return *t->data<int64_t>();
  }

  static Result<bool> truth(const Value* value, bool absent) {
    if (value == nullptr) return absent;
    const Tensor* t = value->tensor();
    if (t == nullptr || t->dtype() != DType::Bool || t->count() != 1) {
      return Status(Code::TypeMismatch, "the loop's condition must be one bool");
    }
    return *t->data<bool>();
  }

  std::shared_ptr<Graph> graph_;
  size_t inputs_;
  std::unique_ptr<Body> body_;
};

}  // namespace

NM_OPERATORS(loop) { r.add<Loop>("Loop", 1); }

}  // namespace nm
