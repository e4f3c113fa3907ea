// Which floats a node's operator does not take as they are.
#pragma once
#include "engine/op/operator.h"

namespace nm {

// True where the value is to be float32 for this node: 16-bit floats for arithmetic, and float64 for operators that
// have float32 code only.
bool wants_float32(const Operator& op, const Node& node, const ValueType& type);

// Constants that `prepare` packs into float32 itself stay 16-bit all the same.
inline bool packs_as_is(const Operator& op, size_t i, const GraphValue& v) {
  return v.is_constant() && v.type.dtype != DType::Float64 && op.packs_float16(i);
}

}  // namespace nm
