// What a person should know of a model that loads all the same.
#pragma once
#include <string>
#include <vector>

#include "engine/onnx/model.h"

namespace nm {

// Sentences: a version of the format or of an operator set that this build does not know yet, inputs whose value the
// file fixes.
std::vector<std::string> model_warnings(const onnx::ModelProto& model);

}  // namespace nm
