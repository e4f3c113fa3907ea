// Jobs for the pool in a threaded module, called by threads.test.mjs.
#include <atomic>
#include <cstdint>
#include <new>

#include "engine/base/thread_pool.h"

#define PROBE extern "C" __attribute__((visibility("default"), used))

PROBE void probe_threads(int32_t count) { nm::thread_pool::set_size(count); }

// Ends only when `parties` threads are inside at once; returns the set of thread numbers seen, as bits.
PROBE uint32_t probe_meet(int32_t parties) {
  std::atomic<int32_t> arrived = 0;
  std::atomic<uint32_t> seen = 0;
  nm::thread_pool::parallel_for(parties, 1, [&](int64_t, int64_t, int thread) {
    seen |= 1u << thread;
    ++arrived;
    while (arrived < parties) {
    }
  });
  return seen;
}

// Runs `jobs` short jobs; returns how many indices were not visited exactly once.
PROBE int32_t probe_sums(int32_t jobs) {
  int32_t wrong = 0;
  for (int32_t job = 0; job < jobs; ++job) {
    std::atomic<int32_t> visits[37] = {};
    nm::thread_pool::parallel_for(37, 1 + job % 5, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto& count : visits) wrong += count != 1;
  }
  return wrong;
}

static thread_local int32_t calls = 40;

// Thread-local variables are a worker's own: returns the sum of each thread's copy, first touched here.
PROBE int32_t probe_thread_local(int32_t parties) {
  std::atomic<int32_t> arrived = 0;
  std::atomic<int32_t> sum = 0;
  nm::thread_pool::parallel_for(parties, 1, [&](int64_t, int64_t, int) {
    ++arrived;
    while (arrived < parties) {
    }
    sum += ++calls;
  });
  return sum;
}

PROBE void* probe_alloc(uint32_t bytes) { return ::operator new(bytes); }
