#include "engine/tensor/tensor.h"

#include "engine/base/memory.h"
#include "engine/base/reserve.h"
#include "engine/base/text.h"

namespace nm {

Result<Tensor> Tensor::create(DType dtype, const Shape& shape) {
  assert(shape.known());
  NM_TRY(check_memory());
  NM_TRY(check_addressable("a tensor", dtype, shape));
  const int64_t count = shape.count();
  const Size bytes = dtype_bytes(dtype, Size(count));
  Buffer buffer(bytes);
  if (!buffer.ok()) return no_memory(text("a tensor ", describe(dtype, shape)), bytes);
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

Size tensor_bytes(DType dtype, const Shape& shape) {
  Size count(1);
  for (const int64_t d : shape) count = count * d;
  return dtype_bytes(dtype, count);
}

Status check_addressable(std::string_view what, DType dtype, const Shape& shape) {
  Size count(1);
  for (const int64_t d : shape) {
    if (d > 0) count = count * d;
  }
  // An element whose type is not known takes a byte at least.
  const Size bytes = dtype == DType::Undefined ? count : dtype_bytes(dtype, count);
  return bytes.addressable() ? Status() : no_memory(text(what, " ", describe(dtype, shape)), bytes);
}

std::string describe(DType dtype, const Shape& shape) { return text(dtype_name(dtype), to_string(shape)); }

}  // namespace nm
