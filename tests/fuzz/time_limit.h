// Cancels a run that takes too long: loops whose count was damaged. Where there are no threads, nothing is cancelled.
#pragma once
#include "engine/session/session.h"

namespace nm::fuzz {

// This session's run is watched as long as the object lives; one at a time.
class TimeLimit {
 public:
  explicit TimeLimit(Session& session);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
};

}  // namespace nm::fuzz
