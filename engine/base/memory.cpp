#include "engine/base/memory.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace nm {
namespace {

std::atomic<size_t> current_bytes{0};
std::atomic<size_t> peak_bytes{0};
std::atomic<size_t> limit_bytes{SIZE_MAX};

// No machine has more, and a sanitizer's allocator stops the process where others refuse.
constexpr size_t kLargest =
    static_cast<size_t>(std::min<uint64_t>(uint64_t{1} << 39, SIZE_MAX - uint64_t{3} * kAlignment));

// The block's size is kept in front of it: release() gets no size, and the counts need it.
struct Header {
  size_t bytes;
};
static_assert(sizeof(Header) <= kAlignment);

}  // namespace

void* allocate(size_t bytes) {
  if (bytes > kLargest) return nullptr;
  const size_t limit = limit_bytes.load(std::memory_order_relaxed);
  if (bytes > limit || current_bytes.load(std::memory_order_relaxed) > limit - bytes) return nullptr;
  const size_t total = align_up(bytes) + kAlignment;
  auto* block = static_cast<uint8_t*>(std::aligned_alloc(kAlignment, total));
  if (block == nullptr) return nullptr;
  reinterpret_cast<Header*>(block)->bytes = bytes;
  const size_t now = current_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  size_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return block + kAlignment;
}

void release(void* pointer) {
  if (pointer == nullptr) return;
  uint8_t* block = static_cast<uint8_t*>(pointer) - kAlignment;
  current_bytes.fetch_sub(reinterpret_cast<Header*>(block)->bytes, std::memory_order_relaxed);
  std::free(block);
}

void limit_memory(size_t bytes) { limit_bytes.store(bytes, std::memory_order_relaxed); }

MemoryCounts memory_counts() {
  return {current_bytes.load(std::memory_order_relaxed), peak_bytes.load(std::memory_order_relaxed)};
}

}  // namespace nm
