// Tensors and types of an ONNX file as the engine's own.
#pragma once
#include "engine/graph/external_file.h"
#include "engine/graph/graph.h"
#include "engine/onnx/model.h"
#include "engine/onnx/model_file.h"

namespace nm {

// `file` is the one that the proto was read from; nullptr for what did not come through a ModelFile. Data in a block of
// their own, or in an external file, are viewed in place where they are aligned for their type; all others are copied.
Result<Tensor> decode_tensor(const onnx::TensorProto& proto, const onnx::ModelFile* file, const ExternalFiles& files);
Result<Tensor> decode_sparse_tensor(const onnx::SparseTensorProto& proto, const onnx::ModelFile* file,
                                    const ExternalFiles& files);
Result<ValueType> decode_type(const onnx::TypeProto& proto);
// The dims of a tensor type; false when the file gives none.
Result<std::optional<Shape>> decode_shape(const onnx::TypeProto& proto, SymbolTable& symbols);

}  // namespace nm
