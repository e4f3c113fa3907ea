// A model's file as it arrives, in pieces of any size: ONNX, or packed. The first byte tells.
#pragma once
#include <variant>

#include "engine/onnx/model_file.h"
#include "engine/packed/file.h"

namespace nm {

class IncomingModel {
 public:
  // `expected` is how many bytes will come; 0 when that is not known.
  explicit IncomingModel(uint64_t expected = 0) : expected_(expected), file_(onnx::ModelFile(expected)) {}
  IncomingModel(onnx::ModelFile file) : file_(std::move(file)) {}  // NOLINT

  Status append(onnx::Bytes piece);

  // The file as one of the two; the other is nullptr. ONNX as long as nothing has come.
  onnx::ModelFile* onnx() { return std::get_if<onnx::ModelFile>(&file_); }
  packed::File* packed() { return std::get_if<packed::File>(&file_); }

 private:
  uint64_t expected_ = 0;
  bool begun_ = false;
  std::variant<onnx::ModelFile, packed::File> file_;
};

}  // namespace nm
