// Neighbouring elementwise operators that a pass has made one node: a program in the internal attributes `nm_steps`
// and `nm_params`.
#pragma once
#include <vector>

#include "engine/op/operator.h"

namespace nm {

struct ElementwiseStep {
  Pointwise kernel;
  // Operands: the node's inputs by their index, and after them the results of the steps so far. A function of one has
  // no y.
  size_t x = 0;
  size_t y = 0;
};

inline constexpr size_t kMaxElementwiseSteps = 32;

void write_steps(const std::vector<ElementwiseStep>& steps, AttributeMap& attributes);

}  // namespace nm
