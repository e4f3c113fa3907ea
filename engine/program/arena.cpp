#include "engine/program/arena.h"

#include <algorithm>
#include <numeric>

#include "engine/base/memory.h"

namespace nm {

size_t place_blocks(std::vector<ArenaBlock>& blocks) {
  std::vector<uint32_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (blocks[a].bytes != blocks[b].bytes) return blocks[a].bytes > blocks[b].bytes;
    return a < b;
  });
  size_t total = 0;
  std::vector<uint32_t> placed;  // by offset
  for (const uint32_t i : order) {
    ArenaBlock& block = blocks[i];
    const size_t need = align_up(block.bytes);
    size_t at = 0;
    for (const uint32_t j : placed) {
      const ArenaBlock& other = blocks[j];
      if (other.last < block.first || block.last < other.first) continue;
      if (at + need <= other.offset) break;
      at = std::max(at, other.offset + align_up(other.bytes));
    }
    block.offset = at;
    total = std::max(total, at + need);
    const auto where = std::upper_bound(placed.begin(), placed.end(), at,
                                        [&](size_t offset, uint32_t j) { return offset < blocks[j].offset; });
    placed.insert(where, i);
  }
  return total;
}

}  // namespace nm
