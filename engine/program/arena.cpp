#include "engine/program/arena.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/base/memory.h"
#include "engine/base/sort_positions.h"

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

// Blocks found by the steps during which they are alive: the steps are cut into windows, and each window lists the
// blocks that are alive in it, except for those that live through many. Most values live for a few steps only, so that
// a block is compared with a handful of others instead of with all (a decoder of 3,400 nodes is planned anew for every
// token).
class Lifetimes {
 public:
  explicit Lifetimes(const std::vector<ArenaBlock>& blocks) : blocks_(blocks), seen_(blocks.size(), UINT32_MAX) {
    int32_t end = 0;
    for (const ArenaBlock& b : blocks) end = std::max(end, b.last + 1);
    windows_.resize(window(end) + 1);
  }

  void add(uint32_t i) {
    const size_t first = window(blocks_[i].first), last = window(blocks_[i].last);
    if (last - first >= kMany) return long_.push_back(i);
    for (size_t w = first; w <= last; ++w) windows_[w].push_back(i);
  }

  // The blocks added before that are alive together with block i; returns how many were looked at.
  uint64_t find(uint32_t i, std::vector<uint32_t>& found) {
    found.clear();
    const ArenaBlock& block = blocks_[i];
    const auto look = [&](uint32_t j) {
      if (blocks_[j].last >= block.first && block.last >= blocks_[j].first) found.push_back(j);
    };
    for (const uint32_t j : long_) look(j);
    uint64_t looked = long_.size();
    for (size_t w = window(block.first); w <= window(block.last); ++w) {
      looked += windows_[w].size();
      for (const uint32_t j : windows_[w]) {
        if (std::exchange(seen_[j], i) != i) look(j);  // not in an earlier window
      }
    }
    return looked;
  }

 private:
  static constexpr int32_t kSteps = 16;  // of a window
  static constexpr size_t kMany = 8;

  static size_t window(int32_t step) { return static_cast<size_t>(step / kSteps); }

  const std::vector<ArenaBlock>& blocks_;
  std::vector<std::vector<uint32_t>> windows_;
  std::vector<uint32_t> long_;
  std::vector<uint32_t> seen_;  // by block: for whom it was found last
};

// Comparisons that an order may take, about a third of a second. Only graphs of tens of thousands of values that all
// live at once take more; their blocks go to the end from there on.
constexpr uint64_t kMostWork = uint64_t{1} << 26;

// Each block at the lowest place where nothing alive at the same time lies.
uint64_t place_in_order(std::vector<ArenaBlock>& blocks, Order before) {
  const std::vector<int64_t> order = sorted_positions(blocks.size(), [&](int64_t a, int64_t b) {
    return before(blocks[static_cast<size_t>(a)], blocks[static_cast<size_t>(b)]);
  });
  Lifetimes placed(blocks);
  std::vector<uint32_t> neighbours;
  uint64_t total = 0, work = 0;
  for (const int64_t next : order) {
    const auto i = static_cast<uint32_t>(next);
    ArenaBlock& block = blocks[i];
    const uint64_t need = align_up(block.bytes);
    uint64_t at = 0;
    if (work < kMostWork) {
      work += placed.find(i, neighbours) + 16 * neighbours.size();  // sorted below
      std::sort(neighbours.begin(), neighbours.end(),
                [&](uint32_t a, uint32_t b) { return blocks[a].offset < blocks[b].offset; });
      for (const uint32_t j : neighbours) {
        if (at + need <= blocks[j].offset) break;
        at = std::max(at, blocks[j].offset + align_up(blocks[j].bytes));
      }
      placed.add(i);
    } else {
      at = total;
    }
    block.offset = at;
    total = std::max(total, at + need);
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
