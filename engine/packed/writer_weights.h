// Which of a model's constants the writer makes narrower numbers of, and what it makes of them.
#pragma once
#include <optional>

#include "engine/base/memory.h"
#include "engine/base/status.h"
#include "engine/packed/narrow.h"
#include "engine/packed/weights.h"
#include "engine/tensor/tensor.h"

namespace nm::packed {

struct NarrowTensor {
  Form form = Form::Float16;
  int axis = 0;
  Buffer block;
};

// Nothing where the tensor stays as it is: types other than float32, vectors (biases, factors of norms), few elements,
// numbers that halves do not reach. With 8 bits, the axis that has the scales is the one that promises the least error.
// What is no weight becomes halves then, too: what has no negative number, what lets no axis share its scales among
// enough elements, and, where `exact`, what the caller knows.
Result<std::optional<NarrowTensor>> narrow(const Tensor& tensor, Weights weights, bool exact);

}  // namespace nm::packed
