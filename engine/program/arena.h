// Offsets for tensors that live in one block of memory: one after the other, each at the lowest place where nothing
// alive at the same time lies, largest first or in whichever of a few orders takes least (Pisarchyk and Lee, "Efficient
// Memory Management for Deep Neural Net Inference").
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nm {

struct ArenaBlock {
  uint64_t bytes = 0;
  int32_t first = 0;    // the step that writes it
  int32_t last = 0;     // the last step that reads it
  uint64_t offset = 0;  // the result
};

// Sums are made in 64 bits: where addresses have 32, they may be more than those hold.

// The bytes of the blocks that are alive at once: no arena can be smaller.
uint64_t live_bytes(const std::vector<ArenaBlock>& blocks);

// Sets every block's offset (a multiple of kAlignment) and returns the bytes needed in all.
uint64_t place_blocks(std::vector<ArenaBlock>& blocks);

}  // namespace nm
