// Files of external data: which parts of them tensors refer to, and these parts, each in a block of its own.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/gathered_bytes.h"
#include "engine/onnx/model.h"
#include "engine/onnx/model_file.h"

namespace nm {

// Where the data of a tensor lie.
struct ExternalReference {
  std::string_view location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;  // absent only where the tensor's own size makes no sense
};
Result<ExternalReference> external_reference(const onnx::TensorProto& proto);

// The files that a model refers to.
std::set<std::string, std::less<>> external_locations(const onnx::ModelProto& model);

Status damaged_tensor(const onnx::TensorProto& proto, std::string_view why);

// A file as it arrives, in pieces of any size; what no tensor refers to is dropped.
class ExternalFile {
 public:
  // `expected` is how many bytes will come; 0 when that is not known.
  ExternalFile(const onnx::ModelProto& model, std::string_view location, uint64_t expected);

  Status append(onnx::Bytes piece);
  uint64_t size() const { return at_; }
  // The data of a tensor of that model; nothing when the file is too short.
  std::optional<onnx::Block> find(const ExternalReference& reference) const;

 private:
  struct Part {
    uint64_t begin, end;
    std::shared_ptr<GatheredBytes> bytes;
  };

  std::string location_;
  uint64_t expected_;
  uint64_t at_ = 0;
  std::vector<Part> parts_;  // in order, without overlaps
  size_t next_ = 0;          // the first part that is not complete
};

// By the location that the model writes.
using ExternalFiles = std::map<std::string, ExternalFile, std::less<>>;

}  // namespace nm
