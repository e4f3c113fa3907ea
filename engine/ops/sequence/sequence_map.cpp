#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// Runs the body once for each item of the first input; other sequences go along with it, tensors stay the same.
class SequenceMap final : public Movement {
 public:
  explicit SequenceMap(Attributes& a) : graph_(a.graph("body")), inputs_(a.input_count()) {
    a.require("body");
    if (graph_ != nullptr && (inputs_ < 1 || graph_->inputs.size() != inputs_)) {
      a.fail(text("the body takes ", graph_->inputs.size(), " values for ", inputs_, " inputs"));
    }
  }

  Status prepare(Preparation& p) override {
    NM_ASSIGN(body_, p.compile(graph_));
    return {};
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_sequence(inference, 0));
    if (inference.output_count() > graph_->outputs.size()) {
      return {Code::InvalidModel, text("the body yields too little for ", inference.output_count(), " outputs")};
    }
    for (size_t o = 0; o < inference.output_count(); ++o) {
      inference.output(o, ValueType::sequence(graph_->value(graph_->outputs[o]).type));
    }
    return {};
  }

  Status run(Execution& execution) override {
    const Sequence* first = execution.has(0) ? execution.input_value(0).sequence() : nullptr;
    if (first == nullptr) return {Code::TypeMismatch, "input 0 holds no sequence"};
    std::vector<std::shared_ptr<Sequence>> results;
    for (size_t o = 0; o < execution.output_count(); ++o) {
      results.push_back(std::make_shared<Sequence>());
      results.back()->element = graph_->value(graph_->outputs[o]).type;
    }
    const BoundBody bound(*body_, execution);
    for (size_t item = 0; item < first->items.size(); ++item) {
      std::vector<Value> fed;
      for (size_t i = 0; i < inputs_; ++i) {
        const Sequence* s = execution.has(i) ? execution.input_value(i).sequence() : nullptr;
        if (s != nullptr && item >= s->items.size()) {
          return {Code::InvalidData,
                  text("input ", i, " has only ", s->items.size(), " items; input 0 has ", first->items.size())};
        }
        fed.push_back(s != nullptr ? s->items[item] : execution.has(i) ? execution.input_value(i) : Value());
      }
      std::vector<Value> yielded;
      NM_TRY(body_->run(std::move(fed), yielded));
      for (size_t o = 0; o < results.size(); ++o) {
        if (!yielded[o].empty()) results[o]->element = type_of(yielded[o]);
        results[o]->items.push_back(std::move(yielded[o]));
      }
    }
    for (size_t o = 0; o < results.size(); ++o) {
      if (execution.wants(o)) NM_TRY(execution.set_output(o, std::shared_ptr<const Sequence>(std::move(results[o]))));
    }
    return {};
  }

 private:
  std::shared_ptr<Graph> graph_;
  size_t inputs_;
  std::unique_ptr<Body> body_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<SequenceMap>("SequenceMap", 17, {.inputs = kAny, .outputs = kAny, .layout = layout::opaque}),
};

NM_OPERATORS(sequence_map, kEntries)

}  // namespace nm
