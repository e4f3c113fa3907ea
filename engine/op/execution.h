#pragma once
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/run_control.h"
#include "engine/op/scratch.h"
#include "engine/tensor/growing.h"
#include "engine/tensor/tensor.h"
#include "engine/tensor/value.h"

namespace nm {

// By index. No operator has more outputs that grow.
using StoredOutputs = std::array<Stored, 4>;

// One step's view of a run. Inputs and outputs are bound to memory when `run` is called, except outputs whose
// shape inference could not say, and those that grow: these the operator makes itself.
class Execution {
 public:
  // `stored`: how the first outputs are stored where they grow.
  Execution(Scratch& scratch, RunControl& control, std::vector<const Value*> inputs, std::vector<Value*> outputs,
            StoredOutputs stored = {})
      : scratch_(scratch),
        control_(control),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        stored_(stored) {}

  // Cancellation and limits, for operators that go on for long by themselves.
  RunControl& control() const { return control_; }

  size_t input_count() const { return inputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr && !inputs_[i]->empty(); }
  const Tensor& input(size_t i) const { return *inputs_[i]->tensor(); }
  const Value& input_value(size_t i) const { return *inputs_[i]; }
  // Of a tensor that may grow (see Operator::takes_growing).
  DType input_type(size_t i) const { return type_of(*inputs_[i]).dtype; }
  const Shape& input_shape(size_t i) const { return *inputs_[i]->shape(); }
  // How one of floats lies.
  RowsTensor rows_input(size_t i) const { return rows_of(*inputs_[i]); }
  // Typed shorthand: execution.data<float>(0).
  template <class T>
  const T* data(size_t i) const {
    return input(i).data<T>();
  }

  size_t output_count() const { return outputs_.size(); }
  bool wants(size_t i) const { return i < outputs_.size() && outputs_[i] != nullptr; }
  Tensor& output(size_t i) const { return *outputs_[i]->tensor(); }
  const Value& output_value(size_t i) const { return *outputs_[i]; }
  template <class T>
  T* out(size_t i) const {
    return output(i).data<T>();
  }
  // For outputs whose shape only the operator knows.
  Result<Tensor*> allocate(size_t i, DType dtype, const Shape& shape) const;
  // Does the plan leave it to the operator to make output o, by `lengthened`?
  bool grows(size_t o) const { return outputs_[o]->empty(); }
  // Output o, which begins with the first `kept` rows of input i along an axis and has `length` of them; the rest is to
  // be written where this says, and settled. Where the plan lets it grow it is (see Operator::growth) in the memory of
  // the input, if that has room.
  Result<LastRows> lengthened(size_t o, size_t i, int axis, int64_t kept, int64_t length) const;
  // Hands over a value that somebody else made (a body's output, a sequence). Where the plan has bound memory for the
  // output, the contents are copied there, and a shape that is not the planned one is an error.
  Status set_output(size_t i, Value value) const;

  // Uninitialised, 64-byte aligned, gone after this step.
  template <class T>
  Result<T*> scratch(Size count) const {
    static_assert(std::is_trivially_copyable_v<T>);
    NM_ASSIGN(uint8_t * bytes, scratch_.get(count * sizeof(T)));
    return reinterpret_cast<T*>(bytes);
  }

 private:
  Scratch& scratch_;
  RunControl& control_;
  std::vector<const Value*> inputs_;
  std::vector<Value*> outputs_;
  StoredOutputs stored_;
};

}  // namespace nm
