// Reads numbers and bytes from a graph section that may say anything.
#pragma once
#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "engine/packed/format.h"

namespace nm::packed {

// The first thing that is wrong is remembered and ends the reading: from then on all numbers are 0, so that callers
// look at status() only where they build on what they have read.
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

  bool ok() const { return why_.empty(); }
  bool ended() const { return at_ == bytes_.size(); }
  void fail(std::string_view why);  // a literal
  Status status() const;

 private:
  Bytes bytes_;
  size_t at_ = 0;
  std::string_view why_;
};

// "the packed model is damaged: …; pack the model again"
Status damaged(std::string_view why);

}  // namespace nm::packed
