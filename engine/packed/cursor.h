// Reads numbers and bytes from a graph section that may say anything.
#pragma once
#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "engine/packed/format.h"

namespace nm::packed {

// The first thing that is wrong is remembered and ends the reading: from then on all numbers are 0 and all bytes none,
// so that callers look at ok() only where they build on what they have read.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  uint64_t number();
  int64_t signed_number();
  // How many items follow, of which each takes a byte at least: never more than there are bytes.
  size_t count();
  // A number below `end`.
  size_t index(size_t end);
  Bytes bytes(uint64_t size);

  bool ok() const { return status_.ok(); }
  bool ended() const { return at_ == bytes_.size(); }
  void fail(std::string_view why);  // as damaged(why)
  void fail(Status status);
  Status take_status() { return std::move(status_); }

 private:
  Bytes bytes_;
  size_t at_ = 0;
  Status status_;
};

// "the packed model is damaged: …; download it or pack the model again"
Status damaged(std::string_view why);

}  // namespace nm::packed
