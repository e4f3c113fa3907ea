#pragma once
#include "engine/graph/model.h"
#include "engine/onnx/model_file.h"
#include "engine/session/read_model.h"

namespace nm {

// An ONNX model, checked and behind the passes that the options want.
Result<Model> read_onnx(onnx::ModelFile file, LoadOptions options);

}  // namespace nm
