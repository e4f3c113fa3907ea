// QuantizeLinear and DequantizeLinear as passes see them: with one constant scale and zero point for all 8-bit numbers.
#pragma once
#include <optional>

#include "engine/passes/rewrite.h"

namespace nm {

struct Quantized {
  ValueId values = kNone;  // DequantizeLinear: the bytes; QuantizeLinear: the floats
  ValueId scale = kNone, zero = kNone;
  float by = 0;
  int32_t zero_point = 0;
  DType dtype = DType::Undefined;  // int8 or uint8
};

// What the node does, when it is of the given type and has one scale. A zero point that is left out is added.
std::optional<Quantized> quantizer(Graph& graph, const Node& node);
std::optional<Quantized> dequantizer(Graph& graph, const Node& node);

}  // namespace nm
