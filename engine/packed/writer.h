#pragma once
#include "engine/base/status.h"
#include "engine/graph/model.h"

namespace nm::packed {

// The model's packed form (see format.h) as a uint8 tensor of one dimension. The graph is as the passes left it, with
// all of its constants. Without `names` those of values, nodes and graphs are left out; inputs and outputs keep theirs,
// which are the model's facts. OutOfMemory where the file finds no room beside the model.
Result<Tensor> write(const Model& model, bool names = true);

}  // namespace nm::packed
