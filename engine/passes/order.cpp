#include "engine/base/reserve.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

using Pass = Result<bool> (*)(Graph&);

// Types are inferred anew after each of these.
constexpr Pass kNeeded[] = {use_float32};
constexpr Pass kOptimizing[] = {
    fold_all_but_weights,  // shape subgraphs and Constant nodes first: everything else looks for constants
    inline_if,             // conditions that were shape arithmetic
    eliminate_identities,  // then nothing stands between a Conv and what can be fused into it
    hoist_quantize,
    fuse_quantized,
    eliminate_common,
    fuse_dequantize,
    fold_constants,  // weights that are not multiplied as bytes
    use_float32,
    fold_constants,  // casts of constants that widening made
    fuse_functions,  // GELU and its like, out of arithmetic
    fuse_norms,      // with the spellings of powers and quotients that fuse_functions leaves
    fuse_attention,  // while scores are still plain products
    merge_transposes,
    fuse_products,  // before activations: a bias and a factor come first
    fold_pads,
    fuse_batch_norm,
    fuse_activation,
    fuse_residual,
    fuse_activation,  // behind residuals
    channels_last,
    fold_constants,  // constants that the layout pass transposes
    eliminate_identities,
    fuse_elementwise,  // what nobody above has taken
};

template <size_t n>
Status apply(Graph& graph, const Pass (&passes)[n]) {
  for (const Pass pass : passes) {
    NM_ASSIGN(const bool changed, pass(graph));
    NM_TRY(check_memory());
    if (changed) NM_TRY(infer_types(graph));
  }
  return {};
}

Status run_on_subgraphs(Graph& graph, bool optimize) {
  for (Node& node : graph.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      if (auto* sub = std::get_if<std::shared_ptr<Graph>>(&attribute)) NM_TRY(run_passes(**sub, optimize));
    }
  }
  return {};
}

}  // namespace

Status run_passes(Graph& graph, bool optimize) {
  remove_dead_nodes(graph);  // also outputs that nobody reads, which not every operator has
  NM_TRY(optimize ? apply(graph, kOptimizing) : apply(graph, kNeeded));
  return run_on_subgraphs(graph, optimize);
}

}  // namespace nm
