// A checksum of 64 bits against damage, not against forgery. Four sums side by side keep a processor's multipliers
// busy, so that it costs little beside a copy of the bytes.
#pragma once
#include <array>
#include <cstdint>

#include "engine/packed/format.h"

namespace nm::packed {

class Checksum {
 public:
  void add(Bytes bytes);
  uint64_t value() const;

 private:
  static constexpr size_t kStripe = 32;

  std::array<uint64_t, 4> sums_{};
  std::array<uint8_t, kStripe> pending_{};  // what is left over of the bytes so far
  uint64_t size_ = 0;
};

}  // namespace nm::packed
