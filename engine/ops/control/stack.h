// What loops leave behind: the values of one output over all iterations, joined along a new axis.
#pragma once
#include <vector>

#include "engine/op/operator.h"

namespace nm {

// Adds what one more iteration yields; LimitExceeded when there are too many.
Status collect(const Execution& execution, std::vector<Value>& items, Value item);
// Tensors of one type and shape as output o, with them as dimension `axis`; `reverse`: the last one first.
Status stack_output(const Execution& execution, size_t o, const std::vector<Value>& items, int64_t axis, bool reverse);
// The output of a loop that did not run once; unknown dimensions are 0.
Status empty_output(const Execution& execution, size_t o, DType dtype, const std::optional<Shape>& item);

}  // namespace nm
