#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/ops/control/stack.h"

namespace nm {
namespace {

// Inputs: the largest number of iterations, the condition, and the state. The body takes the iteration's number, the
// condition and the state; it yields the condition, the state and what is collected.
class Loop final : public Movement {
 public:
  explicit Loop(Attributes& a) : graph_(a.graph("body")), inputs_(a.input_count()) {
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

  Status infer(Inference& inference) const override {
    if (inference.has(0)) {
      NM_TRY(check_type(inference, 0, "the number of iterations", {DType::Int64}));
      NM_TRY(check_scalar(inference, 0, "the number of iterations"));
    }
    if (inference.has(1)) {
      NM_TRY(check_type(inference, 1, "the condition", {DType::Bool}));
      NM_TRY(check_scalar(inference, 1, "the condition"));
    }
    if (inference.output_count() > graph_->outputs.size() - 1) {
      return {Code::InvalidModel, text("the loop's body yields too little for ", inference.output_count(), " outputs")};
    }
    for (size_t o = 0; o < inference.output_count(); ++o)
      inference.output(o, graph_->value(graph_->outputs[o + 1]).type);
    return {};
  }

  Status run(Execution& execution) override {
    if (!rounds_) {
      rounds_ = Rounds{};
      NM_TRY(ended(start(execution)));
    }
    NM_TRY(ended(go_on(execution)));
    return ended(finish(execution));
  }

  void abandon() override {
    body_->abandon();
    rounds_.reset();
  }

 private:
  // What a loop holds between two rounds.
  struct Rounds {
    int64_t most = 0;
    int64_t done = 0;
    bool condition = true;
    bool in_body = false;  // suspended there
    Tensor number;         // what the body is given
    Tensor truth;
    std::vector<Value> state;
    std::vector<std::vector<Value>> collected;
  };

  // A loop that has failed or come to its end leaves nothing.
  Status ended(Status s) {
    if (!s.ok() && s.code() != Code::Suspended) abandon();
    return s;
  }

  size_t states() const { return inputs_ - 2; }

  Status start(Execution& execution) {
    Rounds& r = *rounds_;
    NM_ASSIGN(r.most, limit(execution));
    NM_ASSIGN(r.condition, truth(execution.has(1) ? &execution.input_value(1) : nullptr, true));
    for (size_t i = 0; i < states(); ++i)
      r.state.push_back(execution.has(i + 2) ? execution.input_value(i + 2) : Value());
    r.collected.resize(graph_->outputs.size() - 1 - states());
    NM_ASSIGN(r.number, Tensor::create(DType::Int64, counter_shape(0)));
    NM_ASSIGN(r.truth, Tensor::create(DType::Bool, counter_shape(1)));
    body_->bind_captures(execution);
    return {};
  }

  Status go_on(Execution& execution) {
    Rounds& r = *rounds_;
    while (r.in_body || (r.done < r.most && r.condition)) {
      std::vector<Value> outputs;
      Status s;
      if (r.in_body) {
        s = body_->resume(outputs);
      } else {
        if (execution.control().slice <= 0) return {Code::Suspended, "the slice is over"};
        --execution.control().slice;
        NM_TRY(execution.control().next_round());
        *r.number.data<int64_t>() = r.done;
        *r.truth.data<bool>() = true;
        // Without an owner, as they change with each round.
        std::vector<Value> inputs;
        for (Tensor* t : {&r.number, &r.truth}) inputs.push_back(Tensor::view(t->dtype(), t->shape(), t->raw()));
        inputs.insert(inputs.end(), r.state.begin(), r.state.end());
        s = body_->run(std::move(inputs), outputs);
      }
      r.in_body = s.code() == Code::Suspended;
      NM_TRY(std::move(s));
      NM_ASSIGN(r.condition, truth(&outputs[0], true));
      for (size_t i = 0; i < states(); ++i) r.state[i] = std::move(outputs[i + 1]);
      for (size_t i = 0; i < r.collected.size(); ++i) {
        if (!execution.wants(states() + i)) continue;
        NM_TRY(collect(execution, r.collected[i], std::move(outputs[states() + 1 + i])));
      }
      ++r.done;
    }
    return {};
  }

  Status finish(Execution& execution) {
    Rounds r = std::move(*rounds_);
    abandon();
    for (size_t s = 0; s < states(); ++s) {
      if (!execution.wants(s)) continue;
      if (const Tensor* t = r.state[s].tensor()) {
        NM_ASSIGN(r.state[s], keep(*t));
      }
      NM_TRY(execution.set_output(s, std::move(r.state[s])));
    }
    for (size_t s = 0; s < r.collected.size(); ++s) {
      const size_t o = states() + s;
      if (!execution.wants(o)) continue;
      const GraphValue& value = graph_->value(graph_->outputs[o + 1]);
      NM_TRY(r.done > 0 ? stack_output(execution, o, r.collected[s], 0, false)
                        : empty_output(execution, o, value.type.dtype, value.shape));
    }
    return {};
  }

  // A scalar, unless the body declares [1], as some exporters do.
  Shape counter_shape(size_t input) const {
    const auto& declared = graph_->value(graph_->inputs[input]).shape;
    return declared && declared->rank() == 1 ? Shape{1} : Shape{};
  }

  static Result<int64_t> limit(const Execution& execution) {
    if (!execution.has(0)) return INT64_MAX;
    const Tensor* t = execution.input_value(0).tensor();
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
  std::optional<Rounds> rounds_;  // while the loop runs
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Loop>("Loop", 1, {.inputs = kAny, .outputs = kAny, .layout = layout::opaque}),
};

NM_OPERATORS(loop, kEntries)

}  // namespace nm
