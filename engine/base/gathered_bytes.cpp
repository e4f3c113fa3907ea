#include "engine/base/gathered_bytes.h"

#include <algorithm>
#include <cstring>

namespace nm {
namespace {

constexpr uint64_t kFirstRoom = 4096;

}  // namespace

bool GatheredBytes::append(std::span<const uint8_t> bytes) {
  const uint64_t need = uint64_t{size_} + bytes.size();
  if (need > buffer_.size()) {
    const uint64_t more = std::max({likely_, kFirstRoom, uint64_t{buffer_.size()} * 3 / 2});
    const uint64_t room = std::max(need, std::min(most_, more));
    Buffer larger{Size(room)};
    if (!larger.ok()) return false;
    if (size_ > 0) std::memcpy(larger.data(), buffer_.data(), size_);
    buffer_ = std::move(larger);
  }
  if (!bytes.empty()) std::memcpy(buffer_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

}  // namespace nm
