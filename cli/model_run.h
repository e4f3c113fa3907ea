// Runs of one model for the commands that measure or show them.
#pragma once
#include <chrono>

#include "cli/files.h"

namespace nm::cli {

using Clock = std::chrono::steady_clock;
inline double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// Declares every input: from `given` (NAME=FILE or NAME=random), else random.
Status give_inputs(Session& session, const std::vector<std::string>& given);

// The thread count asked for ("" = one).
Status use_threads(const std::string& count);

}  // namespace nm::cli
