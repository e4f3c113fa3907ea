// Tensors and types of an ONNX file as the engine's own.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "engine/graph/graph.h"
#include "engine/onnx/model.h"

namespace nm {

// Contents of files that initialisers refer to, by the location the model writes.
struct ExternalFile {
  std::shared_ptr<void> owner;
  onnx::Bytes bytes;
};
using ExternalFiles = std::map<std::string, ExternalFile, std::less<>>;

// Raw data that is aligned for its type is viewed in place and keeps `owner` (of the file's bytes) alive; everything
// else is copied. A null owner copies always.
Result<Tensor> decode_tensor(const onnx::TensorProto& proto, const std::shared_ptr<void>& owner,
                             const ExternalFiles& files);
Result<Tensor> decode_sparse_tensor(const onnx::SparseTensorProto& proto, const std::shared_ptr<void>& owner,
                                    const ExternalFiles& files);
Result<ValueType> decode_type(const onnx::TypeProto& proto);
// The dims of a tensor type; false when the file gives none.
Result<std::optional<Shape>> decode_shape(const onnx::TypeProto& proto, SymbolTable& symbols);

}  // namespace nm
