// From a file to a graph that can be compiled.
#pragma once
#include "engine/base/limits.h"
#include "engine/graph/external_file.h"
#include "engine/graph/model.h"
#include "engine/op/custom.h"
#include "engine/packed/writer.h"
#include "engine/session/fix_dimensions.h"
#include "engine/session/incoming_model.h"

namespace nm {

struct LoadOptions {
  bool optimize = true;
  // Of the passes that optimise only the first so many: for finding the one that is at fault.
  size_t passes = SIZE_MAX;
  Limits limits;
  ExternalFiles external;
  Dimensions dimensions;
  std::vector<CustomOperator> custom;
  // Constants of products and look-ups become 4-bit and 8-bit blocks, as far as they are float32.
  bool quantize_weights = false;
};

// An ONNX model is checked and goes through the passes, which a packed one has behind it. Nothing of the file is left
// afterwards but what the graph holds.
Result<Model> read_model(IncomingModel file, LoadOptions options);

// The packed form of an ONNX model, as the elements of a uint8 tensor. The weights of `options` decide on
// quantize_weights.
Result<Tensor> pack_model(IncomingModel file, LoadOptions load, packed::WriteOptions options = {});

}  // namespace nm
