// Runs an operator on values that are known before the program runs: constant folding and shape arithmetic.
#pragma once
#include <vector>

#include "engine/op/operator.h"

namespace nm {

// `c` has been through op.infer; `inputs` are its inputs' values (nullptr: absent). Fills `results`, one for each
// wanted output, and returns true; returns false, leaving `results` empty, when an output's shape is unknown or they
// take more than `max_bytes` together.
Result<bool> evaluate(Operator& op, Inference& inference, const std::vector<const Value*>& inputs, Scratch& scratch,
                      size_t max_bytes, std::vector<Value>& results);

// Internal when a view of these elements would leave its source.
Status check_view(const View& view, DType source_type, const Shape& source, DType dtype, const Shape& shape);
// The part of `source` that a view shows.
Tensor take_view(const Tensor& source, const View& view, DType dtype, const Shape& shape);

}  // namespace nm
