#include "engine/base/reserve.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/base/limits.h"
#include "engine/base/memory.h"
#include "engine/base/text.h"

namespace nm {
namespace {

// Natively these are addresses until somebody writes there. In WebAssembly they are part of what an idle session
// holds; the largest thing taken between two looks at the flag during a run is an error's text.
#if defined(__wasm__)
constexpr size_t kReserveBytes = size_t{32} << 10;
#else
constexpr size_t kReserveBytes = size_t{32} << 20;
#endif

constexpr size_t kSmallestReserve = 4096;

std::atomic<void*> reserve{nullptr};
std::atomic<bool> exhausted{false};
std::atomic<std::new_handler> previous{nullptr};

// Called by operator new when malloc has failed; when it returns, malloc is tried again.
void give_up_reserve() {
  exhausted.store(true, std::memory_order_relaxed);
  if (void* block = reserve.exchange(nullptr)) {
    std::free(block);
    return;
  }
  if (const std::new_handler handler = previous.load()) return handler();
#if defined(__wasm__)
  __builtin_trap();
#else
  std::abort();
#endif
}

void install_handler() {
  if (std::get_new_handler() == give_up_reserve) return;
  previous.store(std::set_new_handler(give_up_reserve));
}

}  // namespace

Status refill_reserve() {
  install_handler();
  exhausted.store(false, std::memory_order_relaxed);
  if (reserve.load() != nullptr) return {};
  size_t bytes = kReserveBytes;
  void* block = std::malloc(bytes);
  // A smaller one is for saying that there is no memory.
  while (block == nullptr && bytes > kSmallestReserve) block = std::malloc(bytes /= 8);
  void* none = nullptr;
  if (!reserve.compare_exchange_strong(none, block)) std::free(block);  // another thread was faster
  if (bytes == kReserveBytes) return {};
  Status refusal(Code::OutOfMemory, "there is no memory left; use smaller inputs or release other sessions");
  if (void* small = reserve.exchange(nullptr)) std::free(small);  // or the next call would take it for a whole one
  return refusal;
}

bool memory_exhausted() { return exhausted.load(std::memory_order_relaxed); }

Status check_memory() {
  if (!memory_exhausted()) return {};
  return {Code::OutOfMemory, "there is no memory left; use smaller inputs or release other sessions"};
}

Status room_for(std::string_view what, Size bytes) {
  NM_TRY(check_memory());
  constexpr Size kSmall(4096);  // the reserve is there for these
  if (bytes < kSmall) return {};
  const Buffer probe(bytes);
  return probe.ok() ? Status() : no_memory(what, bytes);
}

Status no_memory(std::string_view what, Size bytes) {
  // Also for callers that do not hand this on.
  if (bytes.addressable()) exhausted.store(true, std::memory_order_relaxed);
  if (const uint64_t limit = memory_limit(), used = memory_counts().current;
      limit != kNoLimit && bytes.addressable() && (used > limit || bytes.number() > limit - used)) {
    return limit_exceeded(
        "bytes", limit,
        text(what, " of ", bytes.number(), " bytes would take the memory in use to ", used + bytes.number(), " bytes"));
  }
  const std::string size = bytes == Size(UINT64_MAX) ? "more than 2^64" : std::to_string(bytes.number());
  return {Code::OutOfMemory,
          text("there is no memory for ", what, " of ", size, " bytes; use smaller inputs or release other sessions")};
}

}  // namespace nm
