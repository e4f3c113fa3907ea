#pragma once
#include "engine/base/limits.h"
#include "engine/base/status.h"
#include "engine/graph/model.h"
#include "engine/packed/file.h"

namespace nm::packed {

// The model in a file that has arrived. Its graph keeps the rules of one that build_graph has made: every id and index
// has something behind it, a value is defined once and before it is used, constants have their declared bytes, sizes
// can be addressed. What operators there are, and whether they take what they get, is for those who create and plan
// them.
Result<Model> read(const File& file, const Limits& limits = {});

}  // namespace nm::packed
