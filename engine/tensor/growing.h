// Tensors that grow along an axis without being copied: the caches of keys and values of generated text.
#pragma once
#include <memory>

#include "engine/tensor/narrow.h"
#include "engine/tensor/strided.h"
#include "engine/tensor/value.h"

namespace nm {

// A tensor with room behind its rows along one axis, for each index of the dimensions before that axis. A longer tensor
// can begin with the same memory, and a shorter one be its first rows. Tensors never change: who comes first takes the
// room behind another's rows, who comes second is a copy. So the past, the present and what was forked from either may
// be held, read and continued in any order, and a present that is dropped gives its room back to the past.
//
// Its floats may be stored narrower (narrow.h), where each row along the last axis but one is a row of that: they are
// narrowed when they are written, and everybody reads what they are then.
class Growing {
 public:
  // The first `kept` rows of a tensor, dense or growing, and behind them rows to be written, `length` in all. Not of
  // strings or packed types. For one thread at a time, with all that share its memory.
  static Result<std::shared_ptr<const Growing>> lengthen(const Value& past, int axis, int64_t kept, int64_t length,
                                                         Stored stored = Stored::F32);
  // The first `length` rows, in the same memory where the tensor grows along that axis.
  static Result<std::shared_ptr<const Growing>> shorten(const Value& tensor, int axis, int64_t length);
  ~Growing();

  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  const Strides& strides() const { return strides_; }
  // Of elements as they are stored.
  void* data() const;
  // How a tensor of floats is stored, and where.
  StoredTarget rows() const;

 private:
  struct Room;
  Growing(std::shared_ptr<Room> room, DType dtype, const Shape& shape, int axis);
  static Result<std::shared_ptr<Room>> make_room(DType dtype, const Shape& shape, int axis, Stored stored);

  std::shared_ptr<Room> room_;
  DType dtype_;
  Shape shape_;
  int axis_;
  Strides strides_;
};

// A tensor whose last rows along an axis are to be written: where they lie, or, where they are to be stored narrower,
// lie until `settle` narrows them.
struct LastRows {
  StridedTarget at;
  Shape extent = {};
  std::shared_ptr<const Growing> narrow = nullptr;
  int64_t offset = 0;  // of the first one's elements there

  void settle() const;
};

// Where the elements of a tensor lie that is dense, or grows and is not stored narrower.
struct StridedTensor {
  DType dtype = DType::Undefined;
  const Shape& shape;
  StridedSource at;
};
StridedTensor strided(const Value& tensor);

// Where the rows of a tensor of floats lie that is dense or grows.
struct RowsTensor {
  StoredSource rows;
  Strides strides{};
};
RowsTensor rows_of(const Value& tensor);

// Copies a box of a tensor's first elements, whatever its form, to where its elements are not stored narrower and its
// last dimension lies without gaps.
void copy_first(const Value& tensor, const Shape& extent, const StridedTarget& to);

// The tensor itself, the contents of an edition, or a dense copy of one that grows.
Result<Tensor> dense(const Value& tensor);

}  // namespace nm
