// A session makes a plan for each shape of its inputs, and later ones out of earlier ones (update_plan). Does it
// compute for the last of many shapes what a fresh session computes for it?
#pragma once
#include <string>

#include "tests/differ/sketch.h"

namespace nm::differ {

// What differs; empty where nothing does, or where the graph has no dimensions that may be others.
std::string compare_other_shapes(const Sketch& sketch);

}  // namespace nm::differ
