// Loads and runs models that may ask for anything, within bounds of bytes and time.
#pragma once
#include <vector>

#include "engine/session/session.h"

namespace nm::fuzz {

inline constexpr size_t kMemory = size_t{16} << 20;

// Reads the model's file in pieces of at most `piece` bytes.
Result<std::unique_ptr<Session>> load(onnx::Bytes bytes, size_t piece, bool optimize);

// Runs twice, the second time with a plan that is there, and reads every byte of the outputs. Inputs that `inputs` has
// no value for get random ones. What the run takes too long for is cancelled. Then runs on what the runs gave, as
// conversations do: outputs stay in the engine, `how` says how they are stored there, and inputs that would take them
// get them.
Status run(Session& session, const std::vector<Value>& inputs, size_t how);

}  // namespace nm::fuzz
