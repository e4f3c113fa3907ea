// An ONNX model as a Graph: names resolved, initialisers decoded, functions expanded, subgraphs' outer values captured.
#pragma once
#include "engine/base/limits.h"
#include "engine/graph/decode.h"

namespace nm {

// `model` is what `file` was read as; the graph needs neither any more.
Result<Graph> build_graph(const onnx::ModelProto& model, const onnx::ModelFile& file, const ExternalFiles& files,
                          const Limits& limits = {});

}  // namespace nm
