// A loaded model: inputs are declared and filled, runs executed, outputs read.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/graph/external_file.h"
#include "engine/graph/model.h"
#include "engine/program/program.h"
#include "engine/session/incoming_model.h"
#include "engine/session/read_model.h"

namespace nm {

// What a profile says of a step.
struct StepFacts {
  std::string node;
  std::string op;                   // the operator, with its domain where that is not ONNX's
  std::string shape;                // the first output's type and shape
  std::string kernel;               // empty where the operator does not say
  double flops = 0;                 // 0 where the operator does not say
  double bytes = 0;                 // of inputs and outputs, read or written once
  std::vector<std::string> values;  // the outputs' names; empty where the node leaves one out
};

class Session {
 public:
  using Port = nm::Port;

  // An ONNX model or a packed one.
  static Result<std::unique_ptr<Session>> load(IncomingModel file, LoadOptions options);

  const ModelFacts& facts() const { return facts_; }
  const std::vector<Port>& inputs() const { return facts_.inputs; }
  const std::vector<Port>& outputs() const { return facts_.outputs; }
  // The names of dimensions in the ports' shapes.
  const SymbolTable& symbols() const { return *symbols_; }
  // See nm_describe, nm_steps and nm_memory in engine/c_api.h for the three JSON texts.
  const std::string& description() const { return description_; }
  // One for each step of the current plan.
  std::vector<StepFacts> steps() const;
  std::string steps_json() const;
  // A step's output, as long as it is there: until the next step at least. nullptr where there is none.
  const Value* step_value(size_t step, size_t output) const;
  std::string memory_json() const;

  // A tensor to be filled by the caller and read by the next run. Its memory is reused while the shape stays.
  Result<Tensor*> input(size_t index, DType dtype, const Shape& shape);
  // Any other value (a sequence, a map), or a tensor that the caller keeps until the run is over.
  Status set_input(size_t index, Value value);

  Status begin();
  // Executes up to `steps` steps, those of loops' bodies counted, and returns how many of the graph's are left.
  Result<size_t> advance(size_t steps);
  Status run();
  // Valid until the next begin(); only after a finished run.
  const Value& output(size_t index) const { return program_->output(index); }
  // See Program.
  Result<Value> take_output(size_t index) const { return program_->take_output(index); }
  void keep_output(size_t index, Stored stored = Stored::F32) { program_->keep_output(index, stored); }
  void want_output(size_t index, bool wanted) { program_->want_output(index, wanted); }

  // Gives back what only the next run would use: the arena, working space, the inputs' memory. The last run's outputs
  // go.
  void trim();

  // Non-zero ends the run in progress; any thread may write it. Each run begins with zero.
  std::atomic<int32_t>& cancel_flag() { return control_.cancelled; }
  // What a run waits for; nullptr when it does not.
  CustomCall* waiting() const { return selection::kCustomOperators ? control_.waiting : nullptr; }
  const Program& program() const { return *program_; }

 private:
  Session() = default;
  void describe_model();
  Status check_input(size_t index, DType dtype, const Shape& shape) const;
  std::string port_text(const Port& port) const;

  RunControl control_;
  std::shared_ptr<SymbolTable> symbols_;
  ModelFacts facts_;
  std::vector<Tensor> buffers_;  // of the inputs
  std::vector<Value> given_;     // for the next run; empty: not declared yet
  std::vector<bool> declared_;
  std::string description_;
  std::unique_ptr<Program> program_;
};

}  // namespace nm
