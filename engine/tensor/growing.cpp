#include "engine/tensor/growing.h"

#include <algorithm>

#include "engine/base/memory.h"
#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/tensor/edition.h"

namespace nm {
namespace {

// With a quarter more room each row is copied four times on average, however long the text gets, and a fifth of the
// memory is empty at most. A short text is copied every 32 rows.
int64_t with_room(int64_t rows) { return rows + std::max<int64_t>(rows / 4, 32); }

}  // namespace

struct Growing::Room {
  Buffer memory;
  int64_t rows = 0;
  std::vector<int64_t> lengths;  // of the tensors that are there: a few
};

Growing::Growing(std::shared_ptr<Room> room, DType dtype, const Shape& shape, int axis)
    : room_(std::move(room)), dtype_(dtype), shape_(shape), axis_(axis) {
  Shape whole = shape;
  whole[axis] = room_->rows;
  strides_ = row_major(whole);
  room_->lengths.push_back(shape[axis]);
}

Growing::~Growing() {
  std::vector<int64_t>& lengths = room_->lengths;
  *std::find(lengths.begin(), lengths.end(), shape_[axis_]) = lengths.back();
  lengths.pop_back();
}

void* Growing::data() const { return room_->memory.data(); }

Result<std::shared_ptr<const Growing>> Growing::lengthen(const Value& past, int axis, int64_t kept, int64_t length) {
  NM_TRY(check_memory());
  const StridedTensor from = strided(past);
  Shape shape = from.shape;
  shape[axis] = length;
  const Growing* before = past.growing();
  if (before != nullptr && before->axis_ == axis && kept == before->shape_[axis] && kept < length) {
    const Room& room = *before->room_;
    const bool is_longest = *std::max_element(room.lengths.begin(), room.lengths.end()) == kept;
    if (is_longest && length <= room.rows) {
      return std::shared_ptr<const Growing>(new Growing(before->room_, from.dtype, shape, axis));
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
  std::shared_ptr<const Growing> made(new Growing(std::move(room), from.dtype, shape, axis));
  Shape extent = shape;
  extent[axis] = kept;
  copy_strided(from.dtype, extent, from.at, {made->data(), 0, made->strides()});
  return made;
}

Result<std::shared_ptr<const Growing>> Growing::shorten(const Value& tensor, int axis, int64_t length) {
  const Growing* grown = tensor.growing();
  if (grown == nullptr || grown->axis_ != axis) return lengthen(tensor, axis, length, length);
  NM_TRY(check_memory());
  Shape shape = grown->shape_;
  shape[axis] = length;
  return std::shared_ptr<const Growing>(new Growing(grown->room_, grown->dtype_, shape, axis));
}

StridedTensor strided(const Value& tensor) {
  if (const Growing* g = tensor.growing()) return {g->dtype(), g->shape(), {g->data(), 0, g->strides()}};
  const Tensor& t = *tensor.tensor();
  return {t.dtype(), t.shape(), {t.raw(), 0, row_major(t.shape())}};
}

Result<Tensor> dense(const Value& tensor) {
  if (const Tensor* t = tensor.tensor()) return *t;
  if (const auto edition = tensor.edition()) return edition->read();
  const StridedTensor from = strided(tensor);
  NM_ASSIGN(Tensor copy, Tensor::create(from.dtype, from.shape));
  copy_strided(from.dtype, from.shape, from.at, {copy.raw(), 0, row_major(from.shape)});
  return copy;
}

}  // namespace nm
