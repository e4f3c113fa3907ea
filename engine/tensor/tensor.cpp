#include "engine/tensor/tensor.h"

#include "engine/base/memory.h"
#include "engine/base/text.h"

namespace nm {

Result<Tensor> Tensor::create(DType dtype, const Shape& shape) {
  const int64_t count = shape.known() ? shape.count() : -1;
  const int64_t bytes = count < 0 ? -1 : dtype_bytes(dtype, count);
  if (bytes < 0) {
    return Status(Code::ShapeMismatch,
                  text("a tensor ", describe(dtype, shape), " is larger than any host can address"));
  }
  Buffer buffer;
  if (static_cast<uint64_t>(bytes) <= SIZE_MAX) buffer = Buffer(static_cast<size_t>(bytes));
  if (!buffer.ok()) {
    return Status(Code::OutOfMemory, text("there is no memory for a tensor ", describe(dtype, shape), " of ", bytes,
                                          " bytes; use smaller inputs or release other sessions"));
  }
  uint8_t* data = buffer.data();
  if (dtype != DType::String) return view(dtype, shape, data, std::move(buffer).share());
  auto* strings = reinterpret_cast<std::string*>(data);
  std::uninitialized_value_construct_n(strings, count);
  auto owner = std::shared_ptr<void>(data, [bytes = std::move(buffer).share(), count](void* p) {
    std::destroy_n(static_cast<std::string*>(p), count);
  });
  return view(dtype, shape, strings, std::move(owner));
}

Tensor Tensor::view(DType dtype, const Shape& shape, void* data, std::shared_ptr<void> owner) {
  Tensor t;
  t.dtype_ = dtype;
  t.shape_ = shape;
  t.count_ = shape.count();
  t.data_ = data;
  t.owner_ = std::move(owner);
  return t;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  assert(shape.count() == count_);
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

std::string describe(DType dtype, const Shape& shape) { return text(dtype_name(dtype), to_string(shape)); }

}  // namespace nm
