// Float32 constants that a packed model holds as narrower numbers. They are float32 again once they are loaded.
#pragma once
#include <cstdint>

#include "engine/base/size.h"
#include "engine/packed/format.h"
#include "engine/tensor/shape.h"

namespace nm::packed {

enum class Form : uint8_t {
  Float16,  // the block is the elements as halves; the axis means nothing
  Int8,     // the block is a float32 scale for each index along the axis, then the elements as integers times theirs
};

// Of the block. `axis` is one of the shape's.
Size narrow_bytes(Form form, int axis, const Shape& shape);

// `block` has narrow_bytes, `to` room for the shape's elements.
void widen(Form form, int axis, const Shape& shape, const uint8_t* block, float* to);

}  // namespace nm::packed
