#include "engine/program/arena.h"

#include <algorithm>
#include <map>

#include "engine/base/memory.h"
#include "engine/base/positions.h"

namespace nm {
namespace {

int32_t life(const ArenaBlock& b) { return b.last - b.first + 1; }

// Orders in which to place blocks. The first is best for most models, chains above all; where many values live long,
// the others save up to a fifth.
using Order = bool (*)(const ArenaBlock&, const ArenaBlock&);
constexpr Order kOrders[] = {
    [](const ArenaBlock& a, const ArenaBlock& b) { return a.bytes != b.bytes ? a.bytes > b.bytes : a.first < b.first; },
    [](const ArenaBlock& a, const ArenaBlock& b) { return life(a) != life(b) ? life(a) > life(b) : a.bytes > b.bytes; },
    [](const ArenaBlock& a, const ArenaBlock& b) {
      return static_cast<double>(a.bytes) * life(a) > static_cast<double>(b.bytes) * life(b);
    },
};

// Each block at the lowest place where nothing alive at the same time lies.
uint64_t place_in_order(std::vector<ArenaBlock>& blocks, Order before) {
  const std::vector<int64_t> order = sorted_positions(blocks.size(), [&](int64_t a, int64_t b) {
    return before(blocks[static_cast<size_t>(a)], blocks[static_cast<size_t>(b)]);
  });
  uint64_t total = 0;
  std::vector<size_t> placed;  // by offset
  for (const int64_t next : order) {
    const auto i = static_cast<size_t>(next);
    ArenaBlock& block = blocks[i];
    const uint64_t need = align_up(block.bytes);
    uint64_t at = 0;
    for (const size_t j : placed) {
      const ArenaBlock& other = blocks[j];
      if (other.last < block.first || block.last < other.first) continue;
      if (at + need <= other.offset) break;
      at = std::max(at, other.offset + align_up(other.bytes));
    }
    block.offset = at;
    total = std::max(total, at + need);
    const auto where = std::upper_bound(placed.begin(), placed.end(), at,
                                        [&](uint64_t offset, size_t j) { return offset < blocks[j].offset; });
    placed.insert(where, i);
  }
  return total;
}

}  // namespace

uint64_t live_bytes(const std::vector<ArenaBlock>& blocks) {
  std::map<int32_t, int64_t> changes;  // by step
  for (const ArenaBlock& block : blocks) {
    const auto bytes = static_cast<int64_t>(align_up(block.bytes));
    changes[block.first] += bytes;
    changes[block.last + 1] -= bytes;
  }
  int64_t now = 0, most = 0;
  for (const auto& [step, change] : changes) most = std::max(most, now += change);
  return static_cast<uint64_t>(most);
}

uint64_t place_blocks(std::vector<ArenaBlock>& blocks) {
  const uint64_t bound = live_bytes(blocks);
  uint64_t best = UINT64_MAX;
  std::vector<ArenaBlock> placed = blocks;
  for (const Order before : kOrders) {
    const uint64_t total = place_in_order(placed, before);
    if (total < best) {
      best = total;
      blocks = placed;
    }
    if (best == bound) break;
  }
  return best;
}

}  // namespace nm
