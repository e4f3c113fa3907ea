// Tensors that hold sizes, axes and indices: int32 or int64.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/tensor/tensor.h"

namespace nm {

inline bool is_index(DType t) { return t == DType::Int32 || t == DType::Int64; }

// Element i of an int32 or int64 tensor.
inline int64_t integer_at(const Tensor& t, int64_t i) {
  return t.dtype() == DType::Int32 ? static_cast<const int32_t*>(t.raw())[i] : static_cast<const int64_t*>(t.raw())[i];
}

// All elements; nullopt when the type is another one.
inline std::optional<std::vector<int64_t>> integers(const Tensor& t) {
  if (!is_index(t.dtype())) return std::nullopt;
  std::vector<int64_t> out(static_cast<size_t>(t.count()));
  for (int64_t i = 0; i < t.count(); ++i) out[static_cast<size_t>(i)] = integer_at(t, i);
  return out;
}

}  // namespace nm
