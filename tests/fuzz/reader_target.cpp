#include <vector>

#include "engine/graph/build.h"
#include "engine/graph/decode.h"
#include "engine/onnx/model.h"
#include "engine/onnx/model_file.h"
#include "tests/fuzz/targets.h"

namespace nm::fuzz {
namespace {

void read_as_model(Bytes bytes, size_t piece, uint64_t announced) {
  onnx::ModelFile file(announced);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    if (!file.append(bytes.subspan(at, std::min(piece, bytes.size() - at))).ok()) return;
  }
  const auto model = onnx::read_model(file.rest());
  if (model.ok()) static_cast<void>(build_graph(*model, file, {}));
}

}  // namespace

// The first byte says in what pieces the file comes, and whether its announced length is a lie.
void run_reader(Bytes bytes) {
  if (bytes.empty()) return;
  const uint8_t how = bytes[0];
  bytes = bytes.subspan(1);
  read_as_model(bytes, size_t{1} << (how % 16), how & 16 ? bytes.size() : how & 32 ? bytes.size() * 2 : 0);
  if (const auto tensor = onnx::read_tensor(bytes); tensor.ok()) static_cast<void>(decode_tensor(*tensor, nullptr, {}));
  static_cast<void>(onnx::read_sequence(bytes));
  static_cast<void>(onnx::read_optional(bytes));
}

}  // namespace nm::fuzz
