// What a model may take: limits that a caller sets and that hold for loading and for every run. A model that exceeds
// one ends in Code::LimitExceeded, with a message that names the limit.
#pragma once
#include <cstdint>
#include <string_view>

#include "engine/base/status.h"

namespace nm {

inline constexpr uint64_t kNoLimit = UINT64_MAX;

struct Limits {
  // Nodes after functions, compositions and subgraphs are expanded; calls that expand to nothing count too. The
  // largest graphs that people have reach 50,000.
  uint64_t nodes = 1'000'000;
  // How deep functions and subgraphs may lie in each other. Each level takes stack, of which a WebAssembly worker has
  // 64 KiB.
  uint64_t nesting = 48;
  // Rounds of all loops in one run. None by default: a run can be cancelled.
  uint64_t rounds = kNoLimit;
  // Bytes of the strings and of the items of sequences that one value holds, and of what a loop collects.
  uint64_t text_bytes = uint64_t{256} << 20;
  // Bytes of tensors, weights and arenas that this process (in WebAssembly: this instance) may hold at once.
  uint64_t bytes = kNoLimit;
};

// The limit with this name in the interface (see nm_limit), or nullptr.
uint64_t* limit_by_name(Limits& limits, std::string_view name);

// "the model has more than 1000000 nodes (limit 'nodes'); …"
Status limit_exceeded(std::string_view name, uint64_t limit, std::string_view what);

}  // namespace nm
