#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "engine/graph/graph.h"

namespace nm {

// Numbers for dimensions that a model leaves open, by the names that it gives them.
using Dimensions = std::map<std::string, int64_t, std::less<>>;

// Puts the numbers in the names' places, in the graph and its subgraphs, before types are inferred. InvalidArgument for
// a name that no shape has; OutOfMemory when a declared value cannot be addressed any more.
Status fix_dimensions(Graph& graph, const Dimensions& dimensions);

}  // namespace nm
