// Reading and writing the files the command line works with.
#pragma once
#include <memory>
#include <string>

#include "engine/graph/decode.h"
#include "engine/session/session.h"

namespace nm::cli {

struct File {
  std::shared_ptr<void> owner;
  onnx::Bytes bytes;
};

Result<File> read_file(const std::string& path);
// A model's file, ONNX or packed.
Result<IncomingModel> read_model_file(const std::string& path);
Status write_file(const std::string& path, const void* data, size_t bytes);

// The same, and the options to load it with: external data files are looked for beside it.
struct GivenModel {
  IncomingModel file;
  LoadOptions options;
};
Result<GivenModel> read_given_model(const std::string& path);
Result<std::unique_ptr<Session>> load_model(const std::string& path, bool optimize = true, size_t passes = SIZE_MAX);
// The packed form of an ONNX model, as a uint8 tensor (see pack_model), and a session of that.
Result<Tensor> pack_file(const std::string& path, Dimensions dimensions = {}, packed::WriteOptions options = {});
Result<std::unique_ptr<Session>> load_packed(const Tensor& packed);

// A value from a .npy file, or from a protobuf file that holds `type` (tensor, sequence, optional).
Result<Value> read_value(const std::string& path, const ValueType& type);
Result<Tensor> read_npy(const std::string& path);
Status write_npy(const std::string& path, const Tensor& tensor);

// Random contents of a plausible range: floats in [-1, 1), integers and bools 0 or 1.
Result<Tensor> random_tensor(DType dtype, const Shape& shape, uint32_t seed);
// The same for an input of a model; dimensions that the model leaves open become 1, a type that it leaves open float32.
Result<Tensor> random_input(const Session::Port& port, uint32_t seed);

}  // namespace nm::cli
