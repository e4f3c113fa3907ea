#pragma once
#include <utility>

#include "engine/base/reserve.h"

namespace nm {

// Whatever went wrong after an allocation had failed is put down to memory: a value that could not be made looks like
// one that is missing.
inline Status blame_memory(Status s) {
  const bool said = s.ok() || s.code() == Code::OutOfMemory || s.code() == Code::LimitExceeded;
  return !said && memory_exhausted() ? check_memory() : std::move(s);
}

}  // namespace nm
