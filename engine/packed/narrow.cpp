#include "engine/packed/narrow.h"

#include "engine/kernels/kernels.h"

namespace nm::packed {

Size narrow_bytes(Form form, int axis, const Shape& shape) {
  Size elements(1);
  for (const int64_t d : shape) elements = elements * d;
  if (form == Form::Float16) return elements * sizeof(uint16_t);
  return elements + Size(shape[axis]) * sizeof(float);
}

void widen(Form form, int axis, const Shape& shape, const uint8_t* block, float* to) {
  if (form == Form::Float16) {
    return kernels().convert.f16_to_f32(reinterpret_cast<const uint16_t*>(block), to, shape.count());
  }
  const auto* scales = reinterpret_cast<const float*>(block);
  const auto* from = reinterpret_cast<const int8_t*>(scales + shape[axis]);
  const int64_t inner = shape.count(axis + 1, shape.rank());
  for (int64_t left = shape.count(0, axis); left > 0; --left) {
    for (int64_t c = 0; c < shape[axis]; ++c) {
      for (int64_t i = 0; i < inner; ++i) *to++ = static_cast<float>(*from++) * scales[c];
    }
  }
}

}  // namespace nm::packed
