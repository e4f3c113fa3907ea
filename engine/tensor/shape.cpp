#include "engine/tensor/shape.h"

#include <cstdint>

namespace nm {

int64_t Shape::count(int from, int to) const {
  int64_t product = 1;
  bool overflow = false;
  for (int i = from; i < to; ++i) {
    if (dims_[i] == 0) return 0;
    overflow = overflow || product > INT64_MAX / dims_[i];
    if (!overflow) product *= dims_[i];
  }
  return overflow ? -1 : product;
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (int i = 0; i < shape.rank(); ++i) {
    if (i > 0) out += ',';
    out += shape[i] < 0 ? "?" : std::to_string(shape[i]);
  }
  return out + "]";
}

}  // namespace nm
