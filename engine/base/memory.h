// Memory for tensors, weights and arenas: 64-byte aligned, counted, and never fatal when there is none left.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/base/size.h"

namespace nm {

inline constexpr size_t kAlignment = 64;  // a cache line, and the widest vector of any target

// Of a number to which kAlignment can be added (an addressable size, or a sum of such in 64 bits).
template <class T>
constexpr T align_up(T bytes) {
  return (bytes + kAlignment - 1) & ~static_cast<T>(kAlignment - 1);
}

// nullptr when the memory cannot be had. A request for 0 bytes yields a valid, unique pointer.
void* allocate(Size bytes);
void release(void* pointer);

struct MemoryCounts {
  size_t current = 0;  // bytes handed out by allocate and not yet released
  size_t peak = 0;
};
MemoryCounts memory_counts();

// From now on `allocate` refuses what would take the current bytes above `bytes`. No limit (UINT64_MAX) at first.
void limit_memory(uint64_t bytes);
uint64_t memory_limit();

// Owns a block from allocate.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(Size bytes) : data_(static_cast<uint8_t*>(allocate(bytes))), size_(data_ ? bytes.value() : 0) {}

  bool ok() const { return data_ != nullptr; }
  uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  // For owners that keep a type-erased reference (Tensor): the block lives as long as the pointer.
  std::shared_ptr<void> share() && {
    return std::shared_ptr<void>(data_.release(), [](void* p) { release(p); });
  }

 private:
  struct Release {
    void operator()(uint8_t* p) const { release(p); }
  };
  std::unique_ptr<uint8_t, Release> data_;
  size_t size_ = 0;
};

}  // namespace nm
