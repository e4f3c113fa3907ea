#include "engine/tensor/growing.h"

#include <algorithm>
#include <atomic>

#include "engine/base/memory.h"
#include "engine/base/reserve.h"
#include "engine/base/text.h"

namespace nm {
namespace {

// With a quarter more room each row is copied four times on average, however long the text gets, and a fifth of the
// memory is empty at most. A short text is copied every 32 rows.
int64_t with_room(int64_t rows) { return rows + std::max<int64_t>(rows / 4, 32); }

}  // namespace

// Rows [0, taken) belong to tensors that are there.
struct Growing::Room {
  Buffer memory;
  int64_t rows = 0;
  std::atomic<int64_t> taken;
};

Growing::Growing(std::shared_ptr<Room> room, int64_t taken_from, DType dtype, const Shape& shape, int axis)
    : room_(std::move(room)), taken_from_(taken_from), dtype_(dtype), shape_(shape), axis_(axis) {
  Shape whole = shape;
  whole[axis] = room_->rows;
  strides_ = row_major(whole);
}

Growing::~Growing() {
  int64_t own = shape_[axis_];
  room_->taken.compare_exchange_strong(own, taken_from_);  // unless another tensor lies behind these rows
}

void* Growing::data() const { return room_->memory.data(); }

Result<std::shared_ptr<const Growing>> Growing::lengthen(const Value& past, int axis, int64_t kept, int64_t length) {
  NM_TRY(check_memory());
  const StridedTensor from = strided(past);
  Shape shape = from.shape;
  shape[axis] = length;
  const Growing* before = past.growing();
  // Exactly one tensor takes rows, so it is the only one of its length; without new rows it would not be.
  if (before != nullptr && before->axis_ == axis && kept == before->shape_[axis] && kept < length &&
      length <= before->room_->rows) {
    int64_t end = kept;
    if (before->room_->taken.compare_exchange_strong(end, length)) {
      return std::shared_ptr<const Growing>(new Growing(before->room_, kept, from.dtype, shape, axis));
    }
  }
  auto room = std::make_shared<Room>();
  for (const int64_t rows : {with_room(length), length}) {
    Shape whole = shape;
    whole[axis] = rows;
    if (!check_addressable("room", from.dtype, whole).ok()) continue;
    room->memory = Buffer(tensor_bytes(from.dtype, whole));
    room->rows = rows;
    if (room->memory.ok()) break;
  }
  if (!room->memory.ok()) {
    return no_memory(text("a tensor that grows, ", describe(from.dtype, shape)), tensor_bytes(from.dtype, shape));
  }
  room->taken = length;
  std::shared_ptr<const Growing> made(new Growing(std::move(room), length, from.dtype, shape, axis));
  Shape extent = shape;
  extent[axis] = kept;
  copy_strided(from.dtype, extent, from.at, {made->data(), 0, made->strides()});
  return made;
}

StridedTensor strided(const Value& tensor) {
  if (const Growing* g = tensor.growing()) return {g->dtype(), g->shape(), {g->data(), 0, g->strides()}};
  const Tensor& t = *tensor.tensor();
  return {t.dtype(), t.shape(), {t.raw(), 0, row_major(t.shape())}};
}

Result<Tensor> dense(const Value& tensor) {
  if (const Tensor* t = tensor.tensor()) return *t;
  const StridedTensor from = strided(tensor);
  NM_ASSIGN(Tensor copy, Tensor::create(from.dtype, from.shape));
  copy_strided(from.dtype, from.shape, from.at, {copy.raw(), 0, row_major(from.shape)});
  return copy;
}

}  // namespace nm
