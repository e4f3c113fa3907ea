// The network inside this module: 28 by 28 pixels of ink in, the signs that it may be out.
#pragma once
#include <array>
#include <vector>

#include "engine/session/session.h"

namespace digits {

struct Sign {
  char sign;
  float probability;
};

// Made at the first call; with the module's memory if its build has called `prepare`.
nm::Result<nm::Session*> session();

// The three likeliest signs, the likeliest first. `ink` is of any size, which the engine checks.
nm::Result<std::array<Sign, 3>> recognize(const std::vector<float>& ink);

}  // namespace digits
