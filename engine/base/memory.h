// Memory for tensors, weights and arenas: 64-byte aligned, counted, and never fatal when there is none left.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace nm {

inline constexpr size_t kAlignment = 64;  // a cache line, and the widest vector of any target

inline constexpr size_t align_up(size_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }

// nullptr when the memory cannot be had. A request for 0 bytes yields a valid, unique pointer.
void* allocate(size_t bytes);
void release(void* pointer);

struct MemoryCounts {
  size_t current = 0;  // bytes handed out by allocate and not yet released
  size_t peak = 0;
};
MemoryCounts memory_counts();

// From now on `allocate` refuses what would take the current bytes above `bytes`. No limit at first.
void limit_memory(size_t bytes);

// Owns a block from allocate.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes) : data_(static_cast<uint8_t*>(allocate(bytes))), size_(data_ ? bytes : 0) {}

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
