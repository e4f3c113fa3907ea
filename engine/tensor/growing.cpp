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
  StoredTarget stored;
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
StoredTarget Growing::rows() const { return room_->stored; }

Result<std::shared_ptr<Growing::Room>> Growing::make_room(DType dtype, const Shape& shape, int axis, Stored stored) {
  auto room = std::make_shared<Room>();
  for (const int64_t rows : {with_room(shape[axis]), shape[axis]}) {
    Shape whole = shape;
    whole[axis] = rows;
    if (!check_addressable("room", dtype, whole).ok()) continue;
    Size bytes = tensor_bytes(dtype, whole);
    size_t scales = 0;
    if (stored != Stored::F32) {
      const int64_t width = whole.back(), count = whole.count();  // width > 0: see lengthen
      scales = align_up(static_cast<size_t>(count * stored_bytes(stored)));
      bytes = Size(scales) + Size(count / width) * sizeof(float);
      room->stored = {stored, nullptr, nullptr, width};
    }
    room->memory = Buffer(bytes);
    room->rows = rows;
    if (!room->memory.ok()) continue;
    room->stored.data = room->memory.data();
    if (stored != Stored::F32) room->stored.scales = reinterpret_cast<float*>(room->memory.data() + scales);
    return room;
  }
  return no_memory(text("a tensor that grows, ", describe(dtype, shape)), tensor_bytes(dtype, shape));
}

Result<std::shared_ptr<const Growing>> Growing::lengthen(const Value& past, int axis, int64_t kept, int64_t length,
                                                         Stored stored) {
  NM_TRY(check_memory());
  const DType dtype = type_of(past).dtype;
  const Shape& before = *past.shape();
  // Rows without elements have no scales.
  if (dtype != DType::Float32 || axis != before.rank() - 2 || before.back() == 0) stored = Stored::F32;
  Shape shape = before, extent = before;
  shape[axis] = length;
  extent[axis] = kept;
  const Growing* grown = past.growing();
  const Stored was = grown != nullptr ? grown->room_->stored.stored : Stored::F32;
  if (grown != nullptr && was == stored && grown->axis_ == axis && kept == before[axis] && kept < length) {
    const Room& room = *grown->room_;
    const bool is_longest = *std::max_element(room.lengths.begin(), room.lengths.end()) == kept;
    if (is_longest && length <= room.rows) {
      return std::shared_ptr<const Growing>(new Growing(grown->room_, dtype, shape, axis));
    }
  }
  if (was != stored && was != Stored::F32 && stored != Stored::F32) {
    NM_ASSIGN(const Tensor floats, dense(past));
    return lengthen(floats, axis, kept, length, stored);
  }
  NM_ASSIGN(std::shared_ptr<Room> room, make_room(dtype, shape, axis, stored));
  std::shared_ptr<const Growing> made(new Growing(std::move(room), dtype, shape, axis));
  if (stored == Stored::F32) {
    copy_first(past, extent, {made->data(), 0, made->strides()});
  } else {
    const RowsTensor from = rows_of(past);
    copy_rows(extent, from.rows, from.strides, made->rows(), made->strides());
  }
  return made;
}

Result<std::shared_ptr<const Growing>> Growing::shorten(const Value& tensor, int axis, int64_t length) {
  const Growing* grown = tensor.growing();
  if (grown == nullptr) {
    NM_ASSIGN(Tensor contents, dense(tensor));
    return lengthen(Value(std::move(contents)), axis, length, length);
  }
  if (grown->axis_ != axis) return lengthen(tensor, axis, length, length);
  NM_TRY(check_memory());
  Shape shape = grown->shape_;
  shape[axis] = length;
  return std::shared_ptr<const Growing>(new Growing(grown->room_, grown->dtype_, shape, axis));
}

void LastRows::settle() const {
  if (narrow == nullptr) return;
  StoredTarget to = narrow->rows();
  to.data = static_cast<uint8_t*>(to.data) + offset * stored_bytes(to.stored);
  to.scales += offset / to.width;
  copy_rows(extent, {Stored::F32, at.data, nullptr, to.width}, at.strides, to, narrow->strides());
}

StridedTensor strided(const Value& tensor) {
  if (const Growing* g = tensor.growing()) return {g->dtype(), g->shape(), {g->data(), 0, g->strides()}};
  const Tensor& t = *tensor.tensor();
  return {t.dtype(), t.shape(), {t.raw(), 0, row_major(t.shape())}};
}

RowsTensor rows_of(const Value& tensor) {
  if (const Growing* g = tensor.growing()) {
    const StoredTarget to = g->rows();
    return {{to.stored, to.data, to.scales, to.width}, g->strides()};
  }
  return {{Stored::F32, tensor.tensor()->raw()}, row_major(tensor.tensor()->shape())};
}

void copy_first(const Value& tensor, const Shape& extent, const StridedTarget& to) {
  const RowsTensor from = rows_of(tensor);
  if (from.rows.stored == Stored::F32) {
    const StridedTensor all = strided(tensor);
    copy_strided(all.dtype, extent, all.at, to);
    return;
  }
  copy_rows(extent, from.rows, from.strides, {Stored::F32, static_cast<float*>(to.data) + to.offset}, to.strides);
}

Result<Tensor> dense(const Value& tensor) {
  if (const Tensor* t = tensor.tensor()) return *t;
  if (const auto edition = tensor.edition()) return edition->read();
  NM_ASSIGN(Tensor copy, Tensor::create(type_of(tensor).dtype, *tensor.shape()));
  copy_first(tensor, copy.shape(), {copy.raw(), 0, row_major(copy.shape())});
  return copy;
}

}  // namespace nm
