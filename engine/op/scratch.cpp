#include "engine/op/scratch.h"

#include "engine/base/memory.h"
#include "engine/base/reserve.h"

namespace nm {

Result<uint8_t*> Scratch::get(Size bytes) {
  NM_TRY(check_memory());
  if (used_ == blocks_.size() || Size(blocks_[used_].size) < bytes) {
    if (used_ < blocks_.size()) blocks_[used_] = {};  // the old block goes before the larger one comes
    Buffer buffer(bytes);
    if (!buffer.ok()) {
      blocks_.resize(used_);
      return no_memory("working space", bytes);
    }
    const size_t size = buffer.size();
    uint8_t* data = buffer.data();
    Block block{std::move(buffer).share(), data, size};
    if (used_ == blocks_.size()) {
      blocks_.push_back(std::move(block));
    } else {
      blocks_[used_] = std::move(block);
    }
  }
  return blocks_[used_++].data;
}

size_t Scratch::bytes() const {
  size_t bytes = 0;
  for (const Block& block : blocks_) bytes += block.size;
  return bytes;
}

}  // namespace nm
