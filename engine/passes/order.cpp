#include <algorithm>
#include <span>
#include <string_view>

#include "engine/base/reserve.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

struct Pass {
  std::string_view name;
  Result<bool> (*run)(Graph&);
};

// Types are inferred anew after each of these.
constexpr Pass kNeeded[] = {{"use_float32", use_float32}};
constexpr Pass kOptimizing[] = {
    {"fold_all_but_weights", fold_all_but_weights},  // shape subgraphs and Constant nodes: all else looks for constants
    {"inline_if", inline_if},                        // conditions that were shape arithmetic
    {"eliminate_identities", eliminate_identities},  // then nothing stands between a Conv and what can be part of it
    {"hoist_quantize", hoist_quantize},
    {"fuse_quantized", fuse_quantized},
    {"eliminate_common", eliminate_common},
    {"fuse_dequantize", fuse_dequantize},
    {"fold_constants", fold_constants},  // weights that are not multiplied as bytes
    {"use_float32", use_float32},
    {"fold_constants", fold_constants},  // casts of constants that widening made
    {"fuse_scatter", fuse_scatter},      // before its transposes are merged with others
    {"fuse_functions", fuse_functions},  // GELU and its like, out of arithmetic
    {"fuse_norms", fuse_norms},          // with the spellings of powers and quotients that fuse_functions leaves
    {"fuse_attention", fuse_attention},  // while scores are still plain products
    {"merge_transposes", merge_transposes},
    {"fuse_products", fuse_products},  // before activations: a bias and a factor come first
    {"fold_pads", fold_pads},
    {"fuse_batch_norm", fuse_batch_norm},
    {"fuse_activation", fuse_activation},
    {"fuse_residual", fuse_residual},
    {"fuse_activation", fuse_activation},  // behind residuals
    {"channels_last", channels_last},
    {"fold_constants", fold_constants},  // constants that the layout pass transposes
    {"eliminate_identities", eliminate_identities},
    {"fuse_elementwise", fuse_elementwise},  // the elementwise operators that no other pass has taken
};

Status apply(Graph& graph, std::span<const Pass> passes) {
  for (const Pass& pass : passes) {
    NM_ASSIGN(const bool changed, pass.run(graph));
    NM_TRY(check_memory());
    if (changed) NM_TRY(infer_types(graph));
  }
  return {};
}

Status run_on_subgraphs(Graph& graph, size_t most) {
  for (Node& node : graph.nodes) {
    for (const auto& [name, attribute] : node.attributes) {
      if (const auto* sub = std::get_if<std::shared_ptr<Graph>>(&attribute)) NM_TRY(run_passes(**sub, most));
    }
  }
  return {};
}

}  // namespace

std::string_view pass_name(size_t pass) { return pass < std::size(kOptimizing) ? kOptimizing[pass].name : ""; }

Status run_passes(Graph& graph, size_t most) {
  remove_dead_nodes(graph);  // also outputs that nobody reads, which not every operator has
  const std::span<const Pass> all(kOptimizing);
  NM_TRY(apply(graph, all.first(std::min(most, all.size()))));
  if (most < all.size()) NM_TRY(apply(graph, kNeeded));
  return run_on_subgraphs(graph, most);
}

}  // namespace nm
