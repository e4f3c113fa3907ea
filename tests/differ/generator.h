// Random graphs of the operators that passes touch: statements are proposed at random, and those that the operators'
// own inference accepts are kept.
#pragma once
#include <cstdint>

#include "tests/differ/sketch.h"

namespace nm::differ {

// The same graph for the same seed, on every machine.
Sketch random_graph(uint64_t seed);

// One to three graphs of the rewrites' own texts (pattern_graphs.h), each with up to three things changed, that read
// what the others compute.
Sketch random_pattern_graph(uint64_t seed);

}  // namespace nm::differ
