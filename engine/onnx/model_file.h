// A model's file as it arrives, in pieces of any size. Large raw data of tensors go into blocks of their own, so that
// each can be dropped once its weights are packed; everything else stays together as a small file in which these data
// are empty fields.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/gathered_bytes.h"
#include "engine/base/status.h"
#include "engine/onnx/wire.h"

namespace nm::onnx {

// Bytes with a share in the memory that they lie in.
struct Block {
  std::shared_ptr<void> owner;
  Bytes bytes;
};

class ModelFile {
 public:
  // `expected` is how many bytes will come; 0 when that is not known. Knowing it saves copies, nothing depends on it.
  explicit ModelFile(uint64_t expected = 0);

  // Fails only for lack of memory: what is wrong with the bytes is for the reader to say.
  Status append(Bytes piece);

  // What is left of the file; read_model's argument.
  Bytes rest() const { return {rest_.data(), rest_.size()}; }
  // The block that stands for a tensor's raw data, if these are one of the fields emptied in `rest()`.
  const Block* detached(Bytes raw) const;

 private:
  enum class Message : uint8_t { Model, Graph, Function, Node, Attribute, SparseTensor, Tensor, RawData, Other };
  enum class Expect : uint8_t { Tag, Number, Length };
  // A message that has begun, and where its length and its contents begin in rest_.
  struct Open {
    Message message;
    uint64_t end;  // in the file
    size_t length_at;
    size_t content_at;
  };
  struct Detached {
    size_t content_at;
    Block block;
  };

  static Message inside(Message message, uint32_t field);
  void header_byte(uint8_t byte);
  void tag(uint64_t value);
  void begin(uint64_t length);
  void skip(uint64_t length);
  void end_messages();
  void shorten(const Open& open);
  void give_up();
  uint64_t left() const { return open_.back().end - at_; }

  uint64_t expected_;
  uint64_t at_ = 0;  // in the file
  std::vector<Open> open_;
  Expect expect_ = Expect::Tag;
  uint64_t varint_ = 0;  // what has come of a number
  int shift_ = 0;
  uint32_t field_ = 0;
  size_t length_at_ = 0;
  uint64_t copying_ = 0;  // bytes to come that nothing is looked for in
  GatheredBytes rest_;
  std::shared_ptr<GatheredBytes> raw_;  // of the RawData that is open
  std::vector<Detached> detached_;
};

}  // namespace nm::onnx
