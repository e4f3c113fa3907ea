// The linker gives every reference to malloc and free in this program (the engine's, and below those of new and delete)
// to __wrap_malloc and __wrap_free (--wrap), natively and in WebAssembly. One thread only.
#include "tests/faults/injected_malloc.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

extern "C" {
void* __real_malloc(size_t bytes);
void __real_free(void* block);
void* __wrap_malloc(size_t bytes);
void __wrap_free(void* block);
}

namespace {

nm::faults::Heap now;
uint64_t left = 0;
size_t most = SIZE_MAX;

bool fails(size_t bytes) {
  ++now.allocations;
  const bool chosen = left == 1;
  if (left > 0) --left;
  const bool full = now.bytes > most || bytes > most - now.bytes;
  now.failures += chosen || full;
  return chosen || full;
}

void* make(size_t bytes) {
  // As the C++ library does it: whoever is asked may free memory, and then it is tried again.
  while (true) {
    if (void* block = std::malloc(bytes)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) std::abort();
    handler();
  }
}

}  // namespace

void* __wrap_malloc(size_t bytes) {
  void* block = fails(bytes) ? nullptr : __real_malloc(bytes);
  if (block == nullptr) return nullptr;
  ++now.blocks;
  now.bytes += malloc_usable_size(block);
  now.peak = std::max(now.peak, now.bytes);
  return block;
}

void __wrap_free(void* block) {
  if (block == nullptr) return;
  --now.blocks;
  now.bytes -= malloc_usable_size(block);
  __real_free(block);
}

void* operator new(size_t bytes) { return make(bytes); }
void* operator new[](size_t bytes) { return make(bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
void operator delete[](void* block, size_t) noexcept { std::free(block); }

namespace nm::faults {

void fail_allocation(uint64_t n) { left = n; }
void cap_heap(size_t bytes) { most = bytes; }
Heap heap() { return now; }
void reset_peak() { now.peak = now.bytes; }

}  // namespace nm::faults
