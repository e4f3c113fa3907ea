// A graph ready to run: operators with packed weights, and plans for the input shapes seen lately.
#pragma once
#include <memory>
#include <vector>

#include "engine/base/memory.h"
#include "engine/program/plan.h"

namespace nm {

class Program final : public Body {
 public:
  // `control` is looked at before every step. `body`: a subgraph, whose outputs own their memory.
  static Result<std::unique_ptr<Program>> compile(std::shared_ptr<Graph> graph, RunControl& control, bool body);

  const Graph& graph() const { return *graph_; }

  // A run in three parts. Input tensors are read in place and must stay until the run is over.
  Status begin(std::vector<Value> inputs);
  // Executes steps until the run's slice is over (see RunControl), and returns how many are left. The same number twice
  // means that one step, a loop, has used the whole slice.
  Result<size_t> advance();
  // Output i of a finished run, valid until the next `begin` unless it owns its memory.
  const Value& output(size_t i) const;

  // The same, to be kept as long as wanted: the run's own memory where the output is kept (see keep_output), a copy
  // otherwise.
  Result<Value> take_output(size_t i) const;
  // From the next run on output i is computed, as all are at first, or is not: then it is nothing.
  void want_output(size_t i, bool wanted);

  // Lets go of the last run, and of the memory that the next one would have used again. Loops' bodies keep theirs.
  void trim();

  // That of the last run; nullptr when there is none.
  const Plan* plan() const { return plans_.empty() ? nullptr : plans_.front().get(); }
  const Operator& op(uint32_t node) const { return *operators_[node]; }
  size_t packed_bytes() const { return packed_bytes_; }
  size_t arena_bytes() const { return arena_.size(); }
  // Of the plan that the arena was made for, the bytes alive at once.
  uint64_t live_bytes() const { return live_bytes_; }
  size_t scratch_bytes() const { return scratch_.bytes(); }

  size_t input_count() const override { return graph_->inputs.size(); }
  size_t output_count() const override { return graph_->outputs.size(); }
  ValueType output_type(size_t i) const override { return graph_->value(graph_->outputs[i]).type; }
  std::optional<Shape> output_shape(size_t i) const override { return graph_->value(graph_->outputs[i]).shape; }
  // From the next run on output i gets memory of its own in every run, and is stored like this where it grows in place.
  void keep_output(size_t i, Stored stored) override;
  void bind_captures(const Execution& node) override;
  Status run(std::vector<Value> inputs, std::vector<Value>& outputs) override;
  Status resume(std::vector<Value>& outputs) override;
  void abandon() override;

 private:
  Program(std::shared_ptr<Graph> graph, RunControl& control, bool body);
  Status prepare();
  Result<Plan*> plan_for(const std::vector<Value>& inputs);
  bool is_for_output_alone(ValueId id) const;
  Status run_step(Step& step);
  Status start_step(Step& step);
  Status infer_step(Step& step);
  Status run_operator(Step& step);
  Status rewrite(Step& step, ValueId output);
  Status check_growth(const Step& step) const;
  Status check_texts(const Step& step) const;
  // Whatever has become of the last run: lets go of its values.
  void end_run();

  std::shared_ptr<Graph> graph_;
  RunControl& control_;
  PlanOptions options_;
  std::vector<OperatorPtr> operators_;
  std::vector<ValueId> input_ids_;  // the graph's inputs, then its captures
  std::vector<Value> captured_;
  std::vector<std::unique_ptr<Plan>> plans_;  // most recently used first
  Plan* current_ = nullptr;
  size_t next_step_ = 0;
  bool suspended_ = false;  // in the middle of the next step
  Buffer arena_;
  uint64_t live_bytes_ = 0;
  Scratch scratch_;
  size_t packed_bytes_ = 0;
};

}  // namespace nm
