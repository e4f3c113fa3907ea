#include "engine/base/memory.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace nm {
namespace {

std::atomic<size_t> current_bytes{0};
std::atomic<size_t> peak_bytes{0};
std::atomic<uint64_t> limit_bytes{UINT64_MAX};

// Stands in front of what is handed out: release() gets no size, and the counts need it.
struct Header {
  size_t bytes;
  void* block;  // from malloc
};

}  // namespace

void* allocate(Size size) {
  if (!size.addressable()) return nullptr;
  const size_t bytes = size.value();
  const uint64_t limit = limit_bytes.load(std::memory_order_relaxed);
  if (bytes > limit || current_bytes.load(std::memory_order_relaxed) > limit - bytes) return nullptr;
  // Not aligned_alloc: dlmalloc (WebAssembly's) looks for more than it then takes, so a block would never go where one
  // of the same size has been, as packed weights should where raw ones were.
  void* block = std::malloc(align_up(bytes) + kAlignment + sizeof(Header));
  if (block == nullptr) return nullptr;
  auto* data = reinterpret_cast<uint8_t*>(align_up(reinterpret_cast<uintptr_t>(block) + sizeof(Header)));
  reinterpret_cast<Header*>(data)[-1] = {bytes, block};
  const size_t now = current_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  size_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return data;
}

void release(void* pointer) {
  if (pointer == nullptr) return;
  const Header header = static_cast<Header*>(pointer)[-1];
  current_bytes.fetch_sub(header.bytes, std::memory_order_relaxed);
  std::free(header.block);
}

void limit_memory(uint64_t bytes) { limit_bytes.store(bytes, std::memory_order_relaxed); }

uint64_t memory_limit() { return limit_bytes.load(std::memory_order_relaxed); }

MemoryCounts memory_counts() {
  return {current_bytes.load(std::memory_order_relaxed), peak_bytes.load(std::memory_order_relaxed)};
}

}  // namespace nm
