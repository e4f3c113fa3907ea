#include "engine/program/arena.h"

#include <algorithm>
#include <map>

#include "engine/base/memory.h"
#include "engine/base/positions.h"

namespace nm {

size_t live_bytes(const std::vector<ArenaBlock>& blocks) {
  std::map<int32_t, int64_t> changes;  // by step
  for (const ArenaBlock& block : blocks) {
    const auto bytes = static_cast<int64_t>(align_up(block.bytes));
    changes[block.first] += bytes;
    changes[block.last + 1] -= bytes;
  }
  int64_t now = 0, most = 0;
  for (const auto& [step, change] : changes) most = std::max(most, now += change);
  return static_cast<size_t>(most);
}

size_t place_blocks(std::vector<ArenaBlock>& blocks) {
  const std::vector<int64_t> order = sorted_positions(blocks.size(), [&](int64_t a, int64_t b) {
    return blocks[static_cast<size_t>(a)].bytes > blocks[static_cast<size_t>(b)].bytes;
  });
  size_t total = 0;
  std::vector<size_t> placed;  // by offset
  for (const int64_t next : order) {
    const auto i = static_cast<size_t>(next);
    ArenaBlock& block = blocks[i];
    const size_t need = align_up(block.bytes);
    size_t at = 0;
    for (const size_t j : placed) {
      const ArenaBlock& other = blocks[j];
      if (other.last < block.first || block.last < other.first) continue;
      if (at + need <= other.offset) break;
      at = std::max(at, other.offset + align_up(other.bytes));
    }
    block.offset = at;
    total = std::max(total, at + need);
    const auto where = std::upper_bound(placed.begin(), placed.end(), at,
                                        [&](size_t offset, size_t j) { return offset < blocks[j].offset; });
    placed.insert(where, i);
  }
  return total;
}

}  // namespace nm
