// Bytes that arrive in pieces, gathered in one block of memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/memory.h"

namespace nm {

class GatheredBytes {
 public:
  GatheredBytes() = default;
  // At most `most` bytes are said to come. Room for the first `likely` of them is made at once; further room only as
  // they arrive, because a damaged file may say anything.
  GatheredBytes(uint64_t most, uint64_t likely) : most_(most), likely_(likely < most ? likely : most) {}

  // False when there is no memory for them.
  bool append(std::span<const uint8_t> bytes);
  uint8_t* data() const { return buffer_.data(); }
  size_t size() const { return size_; }

 private:
  Buffer buffer_;
  size_t size_ = 0;
  uint64_t most_ = UINT64_MAX;
  uint64_t likely_ = 0;
};

}  // namespace nm
