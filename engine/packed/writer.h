#pragma once
#include "engine/base/status.h"
#include "engine/graph/model.h"
#include "engine/packed/weights.h"

namespace nm::packed {

struct WriteOptions {
  bool names = true;  // of values, nodes and graphs; inputs and outputs keep theirs, which are the model's facts
  Weights weights = Weights::Float32;
};

// The model's packed form (see format.h) as a uint8 tensor of one dimension. The graph is as the passes left it, with
// all of its constants. OutOfMemory where the file finds no room beside the model.
Result<Tensor> write(const Model& model, WriteOptions options = {});

}  // namespace nm::packed
