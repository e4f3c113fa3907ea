// Graph rewrites. Each says whether it changed anything; order.cpp runs them.
#pragma once
#include "engine/base/status.h"
#include "engine/graph/graph.h"

namespace nm {

// Types and shapes of every value as far as they follow from the graph's inputs; refuses operators whose inputs do
// not fit. Compositions (engine/op/composition.h) are replaced by what they are made of. Subgraphs included.
Status infer_types(Graph& graph);

// Every operator that the graph and its subgraphs need and the engine lacks, in one error.
Status check_operators(const Graph& graph);
// The same; then the first node that has attributes, inputs or outputs which its operator lacks.
Status check_supported(const Graph& graph);

Result<bool> fold_constants(Graph& graph);
// As long as there may be use for weights in 8 bits.
Result<bool> fold_all_but_weights(Graph& graph);
Result<bool> hoist_quantize(Graph& graph);
Result<bool> fuse_quantized(Graph& graph);
Result<bool> fuse_dequantize(Graph& graph);
Result<bool> inline_if(Graph& graph);
Result<bool> eliminate_identities(Graph& graph);
Result<bool> merge_transposes(Graph& graph);
Result<bool> fuse_scatter(Graph& graph);
Result<bool> fold_pads(Graph& graph);
Result<bool> use_float32(Graph& graph);
Result<bool> eliminate_common(Graph& graph);
Result<bool> fuse_functions(Graph& graph);
Result<bool> fuse_norms(Graph& graph);
Result<bool> fuse_attention(Graph& graph);
Result<bool> fuse_products(Graph& graph);
Result<bool> fuse_batch_norm(Graph& graph);
Result<bool> fuse_activation(Graph& graph);
Result<bool> fuse_residual(Graph& graph);
Result<bool> channels_last(Graph& graph);
Result<bool> fuse_elementwise(Graph& graph);

// Products and look-ups whose weights are float32 constants get them in blocks of 4 and of 8 bits (MatMulNBits,
// GatherBlockQuantized), and their types anew; subgraphs included. It changes results, so no list of passes has it.
Status quantize_weights(Graph& graph);

inline constexpr size_t kAllPasses = SIZE_MAX;

// The first `most` of them, in their order, on the graph and its subgraphs, whose types have been inferred; then what
// running needs. Some stand in the order more than once.
Status run_passes(Graph& graph, size_t most);
// The name of one by its place in the order; empty behind the last.
std::string_view pass_name(size_t pass);

}  // namespace nm
