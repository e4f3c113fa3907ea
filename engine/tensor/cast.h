// Conversion between element types.
#pragma once
#include "engine/base/status.h"
#include "engine/tensor/small_float.h"
#include "engine/tensor/tensor.h"

namespace nm {

struct CastOptions {
  bool saturate = true;  // narrow floats: out of range values become the largest one instead of infinity or NaN
  Rounding rounding = Rounding::Up;
};

// Every type but the complex ones.
bool can_cast(DType t);

// Converts from.count() elements. Floats are cut towards zero to integers (NaN gives 0), integers wrap around in
// narrower ones, everything but 0 is true; numbers become the shortest text that reads back as the same number.
// Fails with InvalidData for text that is no number. Both types can be cast. May work in place for equal sizes.
Status cast(const Tensor& from, Tensor& to, const CastOptions& options = {});

}  // namespace nm
