// A graph that differs, with everything taken away that it does not need to.
#pragma once
#include "tests/differ/compare.h"
#include "tests/differ/sketch.h"

namespace nm::differ {

Sketch shrink(Sketch sketch);

}  // namespace nm::differ
