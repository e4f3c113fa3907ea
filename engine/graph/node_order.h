// The order in which a graph's nodes can be built. ONNX demands sorted nodes, but converters append some at the end
// (float16 conversion its casts), and other engines accept that.
#pragma once
#include <vector>

#include "engine/onnx/model.h"

namespace nm {

// Indices of the nodes such that each comes after those whose outputs it uses, in its subgraphs too. Sorted nodes keep
// their order. Nodes that need each other in a circle come in some order: whoever builds them misses an input.
std::vector<size_t> node_order(const std::vector<onnx::NodeProto>& nodes);

}  // namespace nm
