// Files that people give for a model and that are none, by their first bytes.
#pragma once
#include <string_view>

#include "engine/onnx/wire.h"

namespace nm::onnx {

// What the bytes are and what to do, as the end of a sentence: "a Git LFS pointer, not the file itself: …". Empty when
// they look like nothing that is known.
std::string_view foreign_format(Bytes bytes);

}  // namespace nm::onnx
