#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "engine/base/run_control.h"
#include "engine/base/status.h"
#include "engine/kernels/stored.h"
#include "engine/tensor/value.h"

namespace nm {

class Execution;

// A compiled subgraph (of If, Loop, Scan). Its inputs are the subgraph's own, in order; what it captures from outside
// is bound by `bind_captures` from the owning node's inputs.
class Body {
 public:
  virtual ~Body() = default;
  virtual size_t input_count() const = 0;
  virtual size_t output_count() const = 0;
  // Types and shapes of the outputs as far as the subgraph itself tells.
  virtual ValueType output_type(size_t i) const = 0;
  virtual std::optional<Shape> output_shape(size_t i) const = 0;
  // `node` is the owning step; the values are read while the body runs.
  virtual void bind_captures(const Execution& node) = 0;
  // Outputs own their memory. Code::Suspended when the run's slice is over or it waits for the host:
  // `resume` goes on where it stopped.
  virtual Status run(std::vector<Value> inputs, std::vector<Value>& outputs) = 0;
  virtual Status resume(std::vector<Value>& outputs) = 0;
  // From the next run on output i is the caller's state (see Operator::keep_output).
  virtual void keep_output(size_t i, Stored stored) = 0;
  // Lets go of what the body holds: captures, and a run that has not come to its end.
  virtual void abandon() = 0;
};

// A body with its captures bound, in a run that is not interrupted, for operators that cannot be resumed.
class BoundBody {
 public:
  BoundBody(Body& body, const Execution& node);
  ~BoundBody() { body_.abandon(); }
  BoundBody(const BoundBody&) = delete;
  BoundBody& operator=(const BoundBody&) = delete;

 private:
  Body& body_;
  Unsliced whole_;
};

}  // namespace nm
