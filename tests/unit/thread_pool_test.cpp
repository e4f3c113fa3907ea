#include "engine/base/thread_pool.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "catch_amalgamated.hpp"

namespace nm {
namespace {

// Sets the pool's size and puts it back to one thread at the end.
class PoolSize {
 public:
  explicit PoolSize(int threads) { thread_pool::set_size(threads); }
  ~PoolSize() { thread_pool::set_size(1); }
};

// How often each index of [0, count) was visited by one parallel_for.
std::vector<int> visits(int64_t count, int64_t chunk) {
  std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
  std::atomic<int> wrong = 0;
  thread_pool::parallel_for(count, chunk, [&](int64_t begin, int64_t end, int thread) {
    if (begin < 0 || end > count || begin >= end || end - begin > chunk || thread < 0 || thread >= thread_pool::size())
      ++wrong;
    for (int64_t i = begin; i < end; ++i) seen[static_cast<size_t>(i)].fetch_add(1, std::memory_order_relaxed);
  });
  CHECK(wrong == 0);
  return std::vector<int>(seen.begin(), seen.end());
}

TEST_CASE("every index is visited exactly once", "[thread_pool]") {
  const PoolSize size(GENERATE(1, 2, 3, 8));
  for (const int64_t count : {0, 1, 2, 7, 64, 1000}) {
    for (const int64_t chunk : {1, 3, 64, 5000}) {
      CAPTURE(thread_pool::size(), count, chunk);
      CHECK(visits(count, chunk) == std::vector<int>(static_cast<size_t>(count), 1));
    }
  }
}

TEST_CASE("a chunk of nothing counts as one", "[thread_pool]") {
  int64_t sum = 0;
  thread_pool::parallel_for(5, 0, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
  CHECK(sum == 5);
}

TEST_CASE("work is cut into chunks that are worth a hand-over, and long work more finely", "[thread_pool]") {
  CHECK(thread_pool::chunks(INT64_MAX) == 1);  // alone
  CHECK(thread_pool::chunk(100, chunk_work) == 100);
  const PoolSize size(2);
  if (thread_pool::size() == 1) SKIP("this build has one thread");
  CHECK(thread_pool::chunks(0) == 1);
  CHECK(thread_pool::chunks(chunk_work) == 1);
  CHECK(thread_pool::chunks(3 * chunk_work) == 3);
  CHECK(thread_pool::chunks(100 * chunk_work) == 8);
  CHECK(thread_pool::chunks(12 * long_chunk_work) == 12);
  CHECK(thread_pool::chunks(1000 * long_chunk_work) == 32);
  CHECK(thread_pool::chunk(0, chunk_work) == 1);
  CHECK(thread_pool::chunk(1000, 1) == 1000);
  CHECK(thread_pool::chunk(1000, chunk_work) == 125);
  CHECK(thread_pool::chunk(3, 1000 * long_chunk_work) == 1);
}

TEST_CASE("a nested loop runs on its caller alone", "[thread_pool]") {
  const PoolSize size(4);
  std::atomic<int64_t> sum = 0;
  std::atomic<int> elsewhere = 0;
  thread_pool::parallel_for(16, 1, [&](int64_t outer, int64_t, int) {
    const std::thread::id here = std::this_thread::get_id();
    thread_pool::parallel_for(100, 7, [&](int64_t begin, int64_t end, int thread) {
      if (std::this_thread::get_id() != here || thread != 0) ++elsewhere;
      for (int64_t i = begin; i < end; ++i) sum += outer * 100 + i;
    });
  });
  CHECK(elsewhere == 0);
  CHECK(sum == 1600 * 1599 / 2);
}

// Many jobs whose bodies die right after them: a worker that came late and still touched one would be seen by the
// sanitizers, or as a wrong sum.
TEST_CASE("late workers touch nothing of a job that is over", "[thread_pool]") {
  const PoolSize size(4);
  int wrong = 0;
  for (int job = 0; job < 100000; ++job) {
    const int64_t count = 2 + job % 5;
    std::vector<int64_t> out(static_cast<size_t>(count), -1);
    thread_pool::parallel_for(count, 1 + job % 2, [&out, job](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) out[static_cast<size_t>(i)] = job + i;
    });
    for (int64_t i = 0; i < count; ++i) wrong += out[static_cast<size_t>(i)] != job + i;
  }
  CHECK(wrong == 0);
}

#if !defined(__wasm__)
TEST_CASE("several threads take part", "[thread_pool]") {
  const PoolSize size(2);
  std::atomic<int> arrived = 0;
  // Neither chunk can finish before the other has begun.
  thread_pool::parallel_for(2, 1, [&](int64_t, int64_t, int) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  CHECK(arrived == 2);
}

TEST_CASE("the size changes while nothing runs, and sleeping workers are woken", "[thread_pool]") {
  for (const int size : {3, 1, 5, 2, 8, 1}) {
    const PoolSize scope(size);
    CHECK(thread_pool::size() == size);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(visits(500, 3) == std::vector<int>(500, 1));
  }
  CHECK(thread_pool::size() == 1);
  thread_pool::set_size(-3);
  CHECK(thread_pool::size() == 1);
}

TEST_CASE("loops of several callers at once are all complete", "[thread_pool]") {
  const PoolSize size(3);
  std::atomic<int64_t> total = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int job = 0; job < 500; ++job) {
        thread_pool::parallel_for(10, 2, [&](int64_t begin, int64_t end, int) { total += end - begin; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(total == 4 * 500 * 10);
}
#endif

}  // namespace
}  // namespace nm
