// Reading the index inputs of the gather and scatter families.
#pragma once
#include <cstdint>

#include "engine/base/status.h"
#include "engine/base/text.h"
#include "engine/tensor/integers.h"

namespace nm {

// int32 or int64 indices that may count from the end.
class Indices {
 public:
  explicit Indices(const Tensor& t) : data_(t.raw()), narrow_(t.dtype() == DType::Int32), count_(t.count()) {}

  int64_t count() const { return count_; }
  int64_t raw(int64_t i) const {
    return narrow_ ? static_cast<const int32_t*>(data_)[i] : static_cast<const int64_t*>(data_)[i];
  }
  // In [0, dim), provided that `check` has been through with this dim.
  int64_t at(int64_t i, int64_t dim) const {
    const int64_t index = raw(i);
    return index < 0 ? index + dim : index;
  }
  static Status out_of_range(int64_t index, int64_t dim) {
    if (dim == 0)
      return {Code::InvalidData, text("the index ", index, " is given for a dimension of 0, which has none")};
    return {Code::InvalidData, text("the index ", index, " is out of range for a dimension of ", dim,
                                    "; it must lie in [", -dim, ",", dim - 1, "]")};
  }
  // All of them lie in [-dim, dim).
  Status check(int64_t dim) const {
    for (int64_t i = 0; i < count_; ++i) {
      if (const int64_t index = raw(i); index < -dim || index >= dim) return out_of_range(index, dim);
    }
    return {};
  }

 private:
  const void* data_;
  bool narrow_;
  int64_t count_;
};

}  // namespace nm
