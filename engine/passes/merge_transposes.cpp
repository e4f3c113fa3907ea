// Transposes of transposes become one, or nothing. One that elementwise functions stand behind moves on until it meets
// another.
#include "engine/passes/passes.h"
#include "engine/passes/pattern.h"
#include "engine/passes/rewrite.h"
#include "engine/passes/rewrites.h"

namespace nm {
namespace {

using Axes = std::vector<int64_t>;

bool merge(Match& m) {
  const auto& shape = m["x"].shape;
  if (!shape) return false;
  const Axes first = permutation(m.node("first"), shape->rank()), second = permutation(m.last(), shape->rank());
  Axes both;
  for (const int64_t axis : second) both.push_back(first[static_cast<size_t>(axis)]);
  m.attributes["perm"] = std::move(both);
  return true;
}

// Only where that leaves nothing to be moved, so that functions are not kept from what they could be fused into.
bool undoes(Match& m) {
  if (!merge(m)) return false;
  const Axes both = std::get<Axes>(m.attributes["perm"]);
  m.attributes.clear();
  for (size_t i = 0; i < both.size(); ++i) {
    if (both[i] != static_cast<int64_t>(i)) return false;
  }
  const Node& function = m.node("f");
  if (function.inputs.size() > 1) return false;
  m.attributes = function.attributes;
  return true;
}

constexpr Rewrite kRewrites[] = {
    {"Transpose(f:Relu(first:Transpose(x)))", "Relu(x)", undoes},
    {"Transpose(f:Sigmoid(first:Transpose(x)))", "Sigmoid(x)", undoes},
    {"Transpose(f:Tanh(first:Transpose(x)))", "Tanh(x)", undoes},
    {"Transpose(f:Gelu(first:Transpose(x)))", "Gelu(x)", undoes},
    {"Transpose(f:Swish(first:Transpose(x)))", "Swish(x)", undoes},
    {"Transpose(f:HardSwish(first:Transpose(x)))", "HardSwish(x)", undoes},
    {"Transpose(f:LeakyRelu(first:Transpose(x)))", "LeakyRelu(x)", undoes},
    {"Transpose(first:Transpose(x))", "Transpose(x)", merge},
};

}  // namespace

std::span<const Rewrite> transpose_rewrites() { return kRewrites; }

Result<bool> merge_transposes(Graph& graph) { return apply_rewrites(graph, kRewrites); }

}  // namespace nm
