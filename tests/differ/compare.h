// Do the passes change what a model computes? The model is run with and without them, in one process.
#pragma once
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/tensor/tensor.h"
#include "tests/differ/sketch.h"

namespace nm::differ {

struct Verdict {
  enum class Kind { Same, Refused, Differs } kind = Kind::Same;
  std::string reason;             // of Differs: which output, how; of Refused: the message
  std::vector<Tensor> reference;  // outputs without passes
};

// Without passes only: Same or Refused.
Verdict run_plainly(const Sketch& sketch);

// How much an output may differ depends on how much it depends on last bits: the graph is also run without passes on
// inputs that differ by some of them, and with intermediate results that do.
Verdict compare(const Sketch& sketch);

}  // namespace nm::differ
