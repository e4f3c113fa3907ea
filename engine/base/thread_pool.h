// The threads that kernels and operators share: one pool per process, or per wasm instance group that shares a memory.
// The caller of parallel_for takes part; workers that have not arrived yet are never waited for. One job at a time: a
// nested parallel_for runs on its caller alone.
#pragma once
#include <cstdint>

#include "engine/base/function_ref.h"

namespace nm {

// Multiply-adds that are worth a hand-over between threads: half a microsecond natively, one and a half in wasm.
// Decoders with small matrices lost a third of their speed to two threads without it (stories260k: 0.31 and 0.52 ms).
inline constexpr int64_t chunk_work = 32 * 1024;
// Multiply-adds of a chunk that may be cut further, about a third of a millisecond: where other programs take turns on
// a core, everybody waits for the last chunk.
inline constexpr int64_t long_chunk_work = 8 * 1024 * 1024;

namespace thread_pool {

// Native: starts or stops threads so that `threads` take part in all, the caller included.
// Threaded wasm: the number of workers that may take part; the host starts them (nm_worker_run).
// Single-threaded wasm: always 1.
void set_size(int threads);

// Upper bound of the `thread` argument that bodies see, plus one. Per-thread scratch is sized by it.
int size();

// Into how many chunks to cut `work` multiply-adds, or as much else: four to sixteen for each thread, since cores
// differ in speed, but none so short that handing it over costs more than it saves.
int64_t chunks(int64_t work);
// The length of a chunk for parallel_for over `count` indices of `work` multiply-adds each.
int64_t chunk(int64_t count, int64_t work);

// Calls body(begin, end, thread) over disjoint ranges that cover [0, count), each at most `chunk` long
// and handed out dynamically, and returns when all are done. 0 <= thread < size(). Never allocates.
void parallel_for(int64_t count, int64_t chunk, function_ref<void(int64_t begin, int64_t end, int thread)> body);

}  // namespace thread_pool
}  // namespace nm
