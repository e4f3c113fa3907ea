#include "engine/program/arena.h"

#include <random>

#include "catch_amalgamated.hpp"
#include "engine/base/memory.h"

using namespace nm;

TEST_CASE("blocks alive at the same time never overlap") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<ArenaBlock> blocks(1 + random() % 60);
    for (ArenaBlock& b : blocks) {
      b.bytes = random() % 5000;
      b.first = static_cast<int32_t>(random() % 40);
      b.last = b.first + static_cast<int32_t>(random() % 10);
    }
    const size_t total = place_blocks(blocks);
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
