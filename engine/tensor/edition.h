// Tensors that differ in few elements and share one memory: caches of a fixed length, of which each token writes a row.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/tensor/strided.h"
#include "engine/tensor/value.h"

namespace nm {

// Elements of a tensor, by their places in its memory: what an operator is about to write.
class Extents {
 public:
  struct Run {
    int64_t from = 0;
    int64_t count = 0;
  };

  Status add(int64_t from, int64_t count);
  // Those of a box, as copy_strided writes them.
  Status add(const Shape& extent, int64_t from, const Strides& strides);
  std::span<const Run> runs() const { return runs_; }
  int64_t count() const { return count_; }

 private:
  std::vector<Run> runs_;
  int64_t count_ = 0;
};

// One of the contents that a memory has had. A later edition is written over the one before, which keeps what was
// overwritten, as long as anybody holds it, and takes its memory back when the later one has gone, as after a run that
// failed. So editions never change, as no tensor does, and may be held, read and continued in any order; one that
// others were written over is copied for that. Editions of one memory are for one thread at a time.
class Edition : public std::enable_shared_from_this<Edition> {
 public:
  // The first one: a tensor's contents, in its own memory where nobody else refers to that. Not of strings or packed
  // types.
  static Result<std::shared_ptr<Edition>> of(Tensor tensor);
  // One with the contents of `before`, where the caller will write `written` and nothing else, into the tensor that
  // `read` then gives. In the same memory, unless somebody reads it now or has written over it already.
  static Result<std::shared_ptr<Edition>> after(std::shared_ptr<Edition> before, Extents written);
  ~Edition();

  Edition(const Edition&) = delete;
  Edition& operator=(const Edition&) = delete;

  DType dtype() const;
  const Shape& shape() const;

  // The contents: the memory itself where it still has them, which nobody writes to while that tensor is there.
  Result<Tensor> read();
  // Does the memory have others' contents by now, so that `read` gives a copy?
  bool overwritten() const { return later_ != nullptr; }

 private:
  struct Memory;
  struct Reader;
  explicit Edition(std::shared_ptr<Memory> memory) : memory_(std::move(memory)) {}
  // Puts back what later editions have overwritten, into elements as the last of them has them.
  void restore(void* elements) const;
  // Lets go of the later edition, and of what it has overwritten.
  std::shared_ptr<Edition> forget_later();
  void drop_later();
  size_t kept_bytes() const;

  std::shared_ptr<Memory> memory_;
  std::weak_ptr<Reader> reader_;
  // Of one that was written over: by whom, where, and what was there.
  std::shared_ptr<Edition> later_;
  Extents overwritten_;
  Tensor undo_;
  const Edition* earlier_ = nullptr;  // over which this one was written, as long as that is there
};

}  // namespace nm
