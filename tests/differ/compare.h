// Do the passes change what a model computes? The model is run with and without them, in one process.
#pragma once
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/tensor/tensor.h"

namespace nm::differ {

struct Verdict {
  enum class Kind { Same, Refused, Differs } kind = Kind::Same;
  std::string reason;             // of Differs: which output, how; of Refused: the message
  std::vector<Tensor> reference;  // outputs without passes
};

// The inputs are in the model's order. How much an output may differ depends on how much it depends on the last bits
// of the inputs: the model is run without passes on inputs that differ by some of them, too.
Verdict compare(const std::string& model, const std::vector<Tensor>& inputs);

}  // namespace nm::differ
