// A dense row-major tensor: type, shape and a reference to memory it may share with others.
#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/base/status.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/shape.h"

namespace nm {

class Tensor {
 public:
  Tensor() = default;

  // Uninitialised memory (strings: empty). Fails with OutOfMemory, also where no host can address so much.
  static Result<Tensor> create(DType dtype, const Shape& shape);
  // Elements at `data`, kept alive by `owner`; nullptr when somebody else sees to that (an arena).
  static Tensor view(DType dtype, const Shape& shape, void* data, std::shared_ptr<void> owner = nullptr);
  template <class T>
  static Result<Tensor> from(const Shape& shape, std::span<const T> values);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int i) const { return shape_[i]; }
  int64_t count() const { return count_; }
  size_t bytes() const { return dtype_bytes(dtype_, Size(count_)).value(); }
  bool defined() const { return dtype_ != DType::Undefined; }

  void* raw() { return data_; }
  const void* raw() const { return data_; }
  const std::shared_ptr<void>& owner() const { return owner_; }

  template <class T>
  T* data() {
    assert(dtype_of<T> == dtype_);
    return static_cast<T*>(data_);
  }
  template <class T>
  const T* data() const {
    assert(dtype_of<T> == dtype_);
    return static_cast<const T*>(data_);
  }
  template <class T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<size_t>(count_)};
  }
  template <class T>
  std::span<T> span() {
    return {data<T>(), static_cast<size_t>(count_)};
  }

  // The same bytes with another shape of as many elements.
  Tensor reshaped(const Shape& shape) const;

 private:
  DType dtype_ = DType::Undefined;
  Shape shape_;
  int64_t count_ = 0;
  void* data_ = nullptr;
  std::shared_ptr<void> owner_;
};

// Bytes of a tensor; all dimensions must be known.
Size tensor_bytes(DType dtype, const Shape& shape);

// OutOfMemory when no tensor of this type and shape can exist here: its known dimensions without the zeros (those of an
// empty tensor are used as numbers too) multiply to more bytes than this host can address. All shapes that the engine
// works with have passed this check, so products of one shape's dimensions do not overflow.
Status check_addressable(std::string_view what, DType dtype, const Shape& shape);

// "float32[1,3,224,224]"
std::string describe(DType dtype, const Shape& shape);

template <class T>
Result<Tensor> Tensor::from(const Shape& shape, std::span<const T> values) {
  NM_ASSIGN(Tensor t, create(dtype_of<T>, shape));
  assert(t.count() == static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), t.data<T>());
  return t;
}

}  // namespace nm
