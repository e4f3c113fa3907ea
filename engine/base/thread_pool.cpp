// How a job is shared without locks. A job is cut into chunks; `ticket` holds the job's number in its upper half and
// the next chunk to hand out in its lower half.
//  - A worker takes its first chunk of a job by compare-and-swap. That succeeds only while the job it has read the
//    parameters of is still the current one and not yet handed out entirely, so a worker that comes too late takes
//    nothing and touches nothing that may be gone.
//  - Before the next job's parameters are written the ticket is closed: else a worker that still holds the old ticket
//    could read the new parameters, find more chunks than the old job had, and take one before the job is announced.
//  - Whoever holds a chunk that is not yet counted in `done` keeps the job alive and takes further chunks by addition.
//  - The caller works too, and returns when `done` says that all chunks are; it waits for chunks, never for workers.
#include "engine/base/thread_pool.h"

#include <algorithm>
#include <atomic>

#if !defined(__wasm__)
#define NM_NATIVE_THREADS 1
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#elif defined(__wasm_atomics__)
#define NM_WASM_THREADS 1
#endif

namespace nm::thread_pool {

using Body = function_ref<void(int64_t begin, int64_t end, int thread)>;

static void run_alone(int64_t count, int64_t chunk, Body body) {
  for (int64_t begin = 0; begin < count; begin += chunk) body(begin, std::min(begin + chunk, count), 0);
}

int64_t chunks(int64_t work) {
  const int64_t threads = size();
  if (threads == 1) return 1;
  const int64_t wanted = std::clamp(work / long_chunk_work, 4 * threads, 16 * threads);
  return std::clamp(work / chunk_work, int64_t{1}, wanted);
}

int64_t chunk(int64_t count, int64_t work) {
  if (count <= 0) return 1;
  return (count - 1) / chunks(count * std::max<int64_t>(work, 1)) + 1;
}

#if defined(NM_NATIVE_THREADS) || defined(NM_WASM_THREADS)

namespace {

constexpr int kMaxThreads = 256;
// About 50 microseconds: longer than the gap between two steps of a model, shorter than a scheduler's time slice.
constexpr int kSpins = 2000;

// No job has so many chunks.
constexpr uint64_t kClosed = uint64_t{1} << 31;

inline void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#elif defined(__wasm__)
  for (int i = 0; i < 64; ++i) asm volatile("");  // WebAssembly has no such instruction
#endif
}

// Sleeps while `word` is `seen`, and wakes every sleeper. Callers of parallel_for only ever wake: the main thread of
// a page is not allowed to sleep.
inline void sleep_while(std::atomic<uint32_t>& word, uint32_t seen) {
#if defined(__wasm__)
  __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int32_t*>(&word), static_cast<int32_t>(seen), -1);
#else
  word.wait(seen, std::memory_order_acquire);
#endif
}
inline void wake_all(std::atomic<uint32_t>& word) {
#if defined(__wasm__)
  __builtin_wasm_memory_atomic_notify(reinterpret_cast<int32_t*>(&word), UINT32_MAX);
#else
  word.notify_all();
#endif
}

class Pool {
 public:
#if defined(NM_NATIVE_THREADS)
  ~Pool() { set_size(1); }
#endif

  int size() const { return size_.load(std::memory_order_relaxed); }

  void set_size(int threads) {
    threads = std::clamp(threads, 1, kMaxThreads);
    while (busy_.exchange(true, std::memory_order_acquire)) rest();
    size_.store(threads, std::memory_order_relaxed);
    signal();  // workers beyond the new size leave
#if defined(NM_NATIVE_THREADS)
    while (static_cast<int>(workers_.size()) > threads - 1) {
      workers_.back().join();
      workers_.pop_back();
    }
    while (static_cast<int>(workers_.size()) < threads - 1) {
      const int index = static_cast<int>(workers_.size()) + 1;
      workers_.emplace_back([this, index] { work(index); });
    }
#endif
    busy_.store(false, std::memory_order_release);
  }

  void parallel_for(int64_t count, int64_t chunk, Body body) {
    const int64_t chunks = (count - 1) / chunk + 1;
    // The lower half of the ticket also counts the takers that come after the last chunk.
    if (chunks == 1 || chunks > INT32_MAX || size() == 1 || busy_.exchange(true, std::memory_order_acquire)) {
      return run_alone(count, chunk, body);
    }
    const uint64_t job = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
    ticket_.store(job << 32 | kClosed, std::memory_order_relaxed);
    // Released and acquired each by itself: who sees one of them sees the closed ticket.
    body_.store(&body, std::memory_order_release);
    count_.store(count, std::memory_order_release);
    chunk_.store(chunk, std::memory_order_release);
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(job << 32, std::memory_order_release);
    signal();

    const uint64_t first = ticket_.fetch_add(1, std::memory_order_acq_rel) & UINT32_MAX;
    if (static_cast<int64_t>(first) < chunks) take(first, {body, count, chunk, chunks}, 0);
    for (int spins = 0; done_.load(std::memory_order_acquire) < chunks; ++spins) spins < kSpins ? pause() : rest();
    busy_.store(false, std::memory_order_release);
  }

  // A worker's life: until the pool has no place for it.
  void work(int index) {
    for (;;) {
      const uint32_t seen = signal_.load(std::memory_order_acquire);
      if (index >= size()) return;
      join_job(index);
      int spins = 0;
      while (signal_.load(std::memory_order_relaxed) == seen && ++spins < kSpins) pause();
      if (spins < kSpins) continue;
      // Counted before the signal is compared, and looked up after it has changed: one of the two sees the other.
      sleepers_.fetch_add(1, std::memory_order_seq_cst);
      sleep_while(signal_, seen);
      sleepers_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

 private:
  struct Job {
    Body body;
    int64_t count;
    int64_t chunk;
    int64_t chunks;
  };

  static void rest() {
#if defined(NM_NATIVE_THREADS)
    std::this_thread::yield();
#else
    pause();
#endif
  }

  void signal() {
    signal_.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) wake_all(signal_);
  }

  void join_job(int index) {
    uint64_t ticket = ticket_.load(std::memory_order_acquire);
    for (;;) {
      const int64_t count = count_.load(std::memory_order_acquire);
      const int64_t chunk = chunk_.load(std::memory_order_acquire);
      const Body* body = body_.load(std::memory_order_acquire);
      const uint64_t next = ticket & UINT32_MAX;
      // A mixture of two jobs' parameters may be read here; it is used only if the swap finds the ticket unchanged.
      if (static_cast<int64_t>(next) >= (count - 1) / chunk + 1 || index >= size()) return;
      if (ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return take(next, {*body, count, chunk, (count - 1) / chunk + 1}, index);
      }
    }
  }

  // Runs chunk `next`, which is the caller's already, and whatever more it can get.
  void take(uint64_t next, const Job& job, int thread) {
    int64_t finished = 0;
    do {
      const int64_t begin = static_cast<int64_t>(next) * job.chunk;
      job.body(begin, std::min(begin + job.chunk, job.count), thread);
      ++finished;
      next = ticket_.fetch_add(1, std::memory_order_acq_rel) & UINT32_MAX;
    } while (static_cast<int64_t>(next) < job.chunks);
    done_.fetch_add(finished, std::memory_order_release);
  }

  std::atomic<int> size_ = 1;
  std::atomic<bool> busy_ = false;    // a job is running, or the size is changing
  std::atomic<uint32_t> signal_ = 0;  // workers sleep on it; changes with every job and size
  std::atomic<int> sleepers_ = 0;     // or about to sleep: without one there is no system call to make
  alignas(64) std::atomic<uint64_t> ticket_ = 0;
  alignas(64) std::atomic<int64_t> done_ = 0;  // chunks finished
  std::atomic<const Body*> body_ = nullptr;
  std::atomic<int64_t> count_ = 0;
  std::atomic<int64_t> chunk_ = 1;
#if defined(NM_NATIVE_THREADS)
  std::vector<std::thread> workers_;
#endif
};

constinit Pool pool;

}  // namespace

void set_size(int threads) { pool.set_size(threads); }

int size() { return pool.size(); }

void parallel_for(int64_t count, int64_t chunk, Body body) {
  if (count > 0) pool.parallel_for(count, std::max<int64_t>(chunk, 1), body);
}

#if defined(NM_WASM_THREADS)
// Called by nm_worker_run (engine/wasm/worker_entry.S) once the worker has a stack.
extern "C" void nm_worker_main(uint32_t index) {
  if (index >= 1 && index < kMaxThreads) pool.work(static_cast<int>(index));
}
#endif

#else  // single-threaded WebAssembly

void set_size(int) {}

int size() { return 1; }

void parallel_for(int64_t count, int64_t chunk, Body body) { run_alone(count, std::max<int64_t>(chunk, 1), body); }

#endif

}  // namespace nm::thread_pool
