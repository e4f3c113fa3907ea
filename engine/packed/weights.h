// What becomes of a model's float32 weights when it is packed. docs/packed.md says what that does to models.
#pragma once
#include <cstdint>

namespace nm::packed {

enum class Weights : uint8_t {
  Float32,  // as they are
  Float16,
  Int8,  // an integer each, with a scale for each channel
  Int4,  // those of products in blocks of 32 with a scale, of look-ups in such of 8 bits, others as Int8
};

}  // namespace nm::packed
