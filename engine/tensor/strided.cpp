#include "engine/tensor/strided.h"

#include <algorithm>
#include <cstring>

#include "engine/base/reserve.h"
#include "engine/base/thread_pool.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

constexpr int64_t kSerialBytes = 64 << 10;  // less than this is done before a second thread has woken up

struct Box {
  int rank = 0;
  Strides dims{};
  Strides from{};
  Strides to{};
};

// Drops dimensions of one and merges neighbours that are evenly spaced on both sides.
Box simplify(const Shape& extent, const Strides& from, const Strides& to) {
  Box box;
  for (int i = 0; i < extent.rank(); ++i) {
    if (extent[i] == 1) continue;
    const int last = box.rank - 1;
    if (last >= 0 && box.from[last] == from[i] * extent[i] && box.to[last] == to[i] * extent[i]) {
      box.dims[last] *= extent[i];
      box.from[last] = from[i];
      box.to[last] = to[i];
      continue;
    }
    box.dims[box.rank] = extent[i];
    box.from[box.rank] = from[i];
    box.to[box.rank++] = to[i];
  }
  return box;
}

template <class T>
void copy_row(const T* from, int64_t from_step, T* to, int64_t to_step, int64_t n) {
  if constexpr (std::is_trivially_copyable_v<T>) {
    if (from_step == 1 && to_step == 1) {
      if (from != to) std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
      return;
    }
    if (from_step == 0 && to_step == 1) {
      std::fill_n(to, n, *from);
      return;
    }
  }
  for (int64_t i = 0; i < n; ++i) {
    // Texts take memory; the step that copies them ends in OutOfMemory (see engine/base/reserve.h).
    if constexpr (!std::is_trivially_copyable_v<T>) {
      if (memory_exhausted()) return;
    }
    const T* source = from + i * from_step;
    T* target = to + i * to_step;
    if (source != target) *target = *source;
  }
}

// Rows [begin, end) of the box, a row being its last dimension; `row(from_offset, to_offset)` copies one.
template <class Row>
void for_rows(const Box& box, int64_t begin, int64_t end, Row&& row) {
  Strides index{};
  int64_t from = 0;
  int64_t to = 0;
  int64_t rest = begin;
  const int outer = box.rank - 1;
  for (int d = outer - 1; d >= 0; --d) {
    index[d] = rest % box.dims[d];
    rest /= box.dims[d];
    from += index[d] * box.from[d];
    to += index[d] * box.to[d];
  }
  for (int64_t r = begin; r < end; ++r) {
    row(from, to);
    for (int d = outer - 1; d >= 0; --d) {
      from += box.from[d];
      to += box.to[d];
      if (++index[d] < box.dims[d]) break;
      from -= box.dims[d] * box.from[d];
      to -= box.dims[d] * box.to[d];
      index[d] = 0;
    }
  }
}

template <class T>
void copy_box(const Box& box, const T* from, T* to) {
  const int last = box.rank - 1;
  const int64_t n = box.dims[last];
  const int64_t bytes = n * static_cast<int64_t>(sizeof(T));
  int64_t rows = 1;
  for (int d = 0; d < last; ++d) rows *= box.dims[d];
  const auto body = [&](int64_t begin, int64_t end) {
    for_rows(box, begin, end,
             [&](int64_t f, int64_t t) { copy_row(from + f, box.from[last], to + t, box.to[last], n); });
  };
  if (rows * bytes < kSerialBytes) {
    body(0, rows);
    return;
  }
  if (rows == 1) {
    const int64_t chunk = std::max<int64_t>(1, kSerialBytes / static_cast<int64_t>(sizeof(T)));
    thread_pool::parallel_for(n, chunk, [&](int64_t begin, int64_t end, int) {
      copy_row(from + begin * box.from[0], box.from[0], to + begin * box.to[0], box.to[0], end - begin);
    });
    return;
  }
  thread_pool::parallel_for(rows, std::max<int64_t>(1, kSerialBytes / bytes),
                            [&](int64_t begin, int64_t end, int) { body(begin, end); });
}

void copy_packed(const Box& box, int bits, const void* from, int64_t from_offset, void* to, int64_t to_offset) {
  const int last = box.rank - 1;
  int64_t rows = 1;
  for (int d = 0; d < last; ++d) rows *= box.dims[d];
  for_rows(box, 0, rows, [&](int64_t f, int64_t t) {
    for (int64_t i = 0; i < box.dims[last]; ++i) {
      packed_set(to, to_offset + t + i * box.to[last], bits,
                 packed_get(from, from_offset + f + i * box.from[last], bits));
    }
  });
}

}  // namespace

Strides row_major(const Shape& shape) {
  Strides strides{};
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

void copy_strided(DType dtype, const Shape& extent, const StridedSource& from, const StridedTarget& to) {
  if (extent.count() == 0) return;
  Box box = simplify(extent, from.strides, to.strides);
  if (box.rank == 0) {
    box.rank = 1;
    box.dims[0] = box.from[0] = box.to[0] = 1;
  }
  const bool whole = with_element(dtype, [&]<class T>() {
    copy_box(box, static_cast<const T*>(from.data) + from.offset, static_cast<T*>(to.data) + to.offset);
  });
  if (!whole) copy_packed(box, dtype_bits(dtype), from.data, from.offset, to.data, to.offset);
}

void copy_run(DType dtype, const void* from, int64_t from_offset, void* to, int64_t to_offset, int64_t count) {
  const int64_t size = is_packed(dtype) || dtype == DType::String ? 0 : dtype_bits(dtype) / 8;
  if (size > 0 && count * size < kSerialBytes) {  // most are short, and the general way has a price
    const auto* source = static_cast<const uint8_t*>(from) + from_offset * size;
    auto* target = static_cast<uint8_t*>(to) + to_offset * size;
    if (source != target) std::memcpy(target, source, static_cast<size_t>(count * size));
    return;
  }
  copy_strided(dtype, Shape{count}, {from, from_offset, {1}}, {to, to_offset, {1}});
}

void copy_all(const Tensor& from, Tensor& to) {
  if (from.raw() != to.raw()) copy_run(from.dtype(), from.raw(), 0, to.raw(), 0, from.count());
}

Result<Tensor> keep(const Tensor& t) {
  if (t.owner() != nullptr) return t;
  NM_ASSIGN(Tensor copy, Tensor::create(t.dtype(), t.shape()));
  copy_all(t, copy);
  return copy;
}

void fill(Tensor& to, const void* value) {
  copy_strided(to.dtype(), Shape{to.count()}, {value, 0, {0}}, {to.raw(), 0, {1}});
}

}  // namespace nm
