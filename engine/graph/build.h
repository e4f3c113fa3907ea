// An ONNX model as a Graph: names resolved, initialisers decoded, functions expanded, subgraphs' outer values captured.
#pragma once
#include "engine/graph/decode.h"

namespace nm {

// `owner` keeps the bytes that `model` views alive.
Result<Graph> build_graph(const onnx::ModelProto& model, const std::shared_ptr<void>& owner,
                          const ExternalFiles& files);

}  // namespace nm
