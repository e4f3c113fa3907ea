// A packed model's file as it arrives, in pieces of any size: its constants go into their final place at once.
#pragma once
#include <memory>
#include <vector>

#include "engine/base/gathered_bytes.h"
#include "engine/base/status.h"
#include "engine/packed/checksum.h"
#include "engine/packed/format.h"

namespace nm::packed {

// Is this the first byte of a packed model rather than of an ONNX file?
inline bool begins_packed(uint8_t first) { return first == kMagic[0]; }

class File {
 public:
  // `expected` is how many bytes will come; 0 when that is not known. Knowing it saves copies, nothing depends on it.
  explicit File(uint64_t expected = 0) : expected_(expected), left_(sizeof header_) {}

  // Says what is wrong as soon as it is known: InvalidModel, OutOfMemory.
  Status append(Bytes piece);
  // Is the file whole and undamaged?
  Status check_complete() const;

  Bytes graph() const { return {graph_.data(), graph_.size()}; }
  const std::vector<std::shared_ptr<GatheredBytes>>& blocks() const { return blocks_; }

 private:
  enum class Part : uint8_t { Header, Graph, Padding, Block, Checksum, End };

  Status take(Bytes bytes);
  Status begin_next();
  Status read_header();
  Status read_blocks();
  void begin_block();
  uint64_t likely() const { return expected_ > at_ ? expected_ - at_ : 0; }

  uint64_t expected_;
  uint64_t at_ = 0;
  Part part_ = Part::Header;
  uint64_t left_;  // of the part
  Header header_{};
  uint64_t stored_checksum_ = 0;
  Checksum checksum_;
  GatheredBytes graph_;
  std::vector<uint64_t> lengths_;                       // of the blocks
  std::vector<std::shared_ptr<GatheredBytes>> blocks_;  // those that have begun
};

}  // namespace nm::packed
