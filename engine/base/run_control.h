// What can end or interrupt a run from outside: the caller's wish to cancel it, the limits, and the end of its slice.
// One for each session, shared by the program and the bodies of its control flow.
#pragma once
#include <atomic>
#include <cstdint>

#include "engine/base/limits.h"

namespace nm {

class CustomCall;  // engine/op/custom.h

struct RunControl {
  // Non-zero: stop. Other threads write it, in WebAssembly also JavaScript, so it is a plain 32-bit word.
  std::atomic<int32_t> cancelled{0};
  Limits limits;
  uint64_t rounds = 0;  // of loops, in this run
  // Steps and rounds that may still be made before the run returns to its caller, who goes on with it later.
  int64_t slice = INT64_MAX;
  CustomCall* waiting = nullptr;  // what the host is to compute before the run can go on

  void begin_run() {
    cancelled.store(0, std::memory_order_relaxed);
    rounds = 0;
  }
  Status check_cancelled() const {
    if (cancelled.load(std::memory_order_relaxed) == 0) return {};
    return {Code::Cancelled, "the run was cancelled"};
  }
  // Before each round of a loop.
  Status next_round() {
    if (++rounds > limits.rounds) return limit_exceeded("rounds", limits.rounds, "the loops of one run go on");
    return check_cancelled();
  }
};

// While it lives the run is not interrupted, for operators that cannot be resumed.
class Unsliced {
 public:
  explicit Unsliced(RunControl& control) : control_(control), slice_(control.slice) { control.slice = INT64_MAX; }
  ~Unsliced() { control_.slice = slice_; }
  Unsliced(const Unsliced&) = delete;
  Unsliced& operator=(const Unsliced&) = delete;

 private:
  RunControl& control_;
  int64_t slice_;
};

}  // namespace nm
