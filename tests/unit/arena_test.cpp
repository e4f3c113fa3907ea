#include "engine/program/arena.h"

#include <random>

#include "catch_amalgamated.hpp"
#include "engine/base/memory.h"

using namespace nm;

TEST_CASE("blocks alive at the same time never overlap") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<ArenaBlock> blocks(1 + random() % 60);
    const uint32_t steps = round % 2 == 0 ? 40 : 4000;  // fewer and more than there are windows to look blocks up in
    for (ArenaBlock& b : blocks) {
      b.bytes = random() % 5000;
      b.first = static_cast<int32_t>(random() % steps);
      b.last = b.first + static_cast<int32_t>(random() % (steps / 4));
    }
    const uint64_t total = place_blocks(blocks);
    CHECK(total >= live_bytes(blocks));
    for (size_t i = 0; i < blocks.size(); ++i) {
      CHECK(blocks[i].offset % kAlignment == 0);
      CHECK(blocks[i].offset + blocks[i].bytes <= total);
      for (size_t j = 0; j < i; ++j) {
        const ArenaBlock& a = blocks[i];
        const ArenaBlock& b = blocks[j];
        const bool together = a.first <= b.last && b.first <= a.last;
        const bool overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
        if (together && overlap) FAIL("blocks " << i << " and " << j << " overlap");
      }
    }
  }
}

TEST_CASE("a chain of equal blocks takes the room of two") {
  std::vector<ArenaBlock> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back({1024, i, i + 1, 0});
  CHECK(place_blocks(blocks) == 2048);
  // Whatever the order that they are listed in.
  std::swap(blocks[1], blocks[8]);
  std::swap(blocks[2], blocks[5]);
  CHECK(place_blocks(blocks) == 2048);
  CHECK(live_bytes(blocks) == 2048);
}

TEST_CASE("small blocks that live long do not keep large ones apart") {
  // Two large ones after each other, and a state that is alive throughout and comes between them by size.
  std::vector<ArenaBlock> blocks = {{4096, 0, 1, 0}, {8192, 2, 3, 0}, {4096, 1, 2, 0}, {64, 0, 3, 0}};
  CHECK(place_blocks(blocks) == live_bytes(blocks));
}

TEST_CASE("the blocks of very long graphs are placed in a moment") {
  constexpr int32_t kSteps = 200000;
  std::vector<ArenaBlock> chain;
  for (int32_t i = 0; i < kSteps; ++i) chain.push_back({1024, i, i + 1, 0});
  CHECK(place_blocks(chain) == 2048);
  std::vector<ArenaBlock> together;
  for (int32_t i = 0; i < kSteps; ++i) together.push_back({64, i, kSteps, 0});
  CHECK(place_blocks(together) == uint64_t{64} * kSteps);
}
