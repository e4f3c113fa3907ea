#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/size.h"
#include "engine/base/status.h"

namespace nm {

// Memory that steps use while they run and that keeps nothing from one to the next: it grows to the largest need
// and stays, so that later runs allocate nothing.
class Scratch {
 public:
  Result<uint8_t*> get(Size bytes);
  void reset() { used_ = 0; }
  size_t bytes() const;

 private:
  struct Block {
    std::shared_ptr<void> owner;
    uint8_t* data;
    size_t size;
  };
  std::vector<Block> blocks_;
  size_t used_ = 0;  // blocks handed out since reset()
};

}  // namespace nm
