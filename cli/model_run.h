// Runs of one model for the commands that measure or show them.
#pragma once
#include <chrono>

#include "cli/files.h"

namespace nm::cli {

using Clock = std::chrono::steady_clock;
inline double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// Where the inputs of a run come from: --input NAME=FILE or NAME=random, and --shape NAME=1,3,224,224 for random ones.
struct InputOptions {
  std::vector<std::string> files;
  std::vector<std::string> shapes;
};
InputOptions take_input_options(std::vector<std::string>& arguments);

// Declares every input; what no option names is random.
Status give_inputs(Session& session, const InputOptions& options);

// The thread count asked for ("" = one).
Status use_threads(const std::string& count);

}  // namespace nm::cli
