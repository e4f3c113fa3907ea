// Nodes whose inputs are all known before any run become constants.
#include <algorithm>

#include "engine/op/evaluate.h"
#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/precision.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

// A folded result may be larger than what it came from, but a model must not grow without bound (ConstantOfShape,
// Expand, Tile of a scalar).
constexpr size_t kMaxGrowth = 4;
constexpr size_t kSmall = size_t{1} << 20;

Result<bool> fold(Graph& graph, Node& node, Scratch& scratch) {
  if (node.inputs.size() != node.explicit_inputs) return false;
  size_t input_bytes = 0;
  std::vector<Value> values;
  values.reserve(node.inputs.size());
  for (const ValueId id : node.inputs) {
    if (id == kNone) {
      values.emplace_back();
      continue;
    }
    const Tensor* t = graph.constant(id);
    if (t == nullptr || t->raw() == nullptr) return false;
    input_bytes += t->bytes();
    values.emplace_back(*t);
  }
  for (const auto& [name, attribute] : node.attributes) {
    if (std::holds_alternative<std::shared_ptr<Graph>>(attribute)) return false;
  }
  NM_ASSIGN(const Operator* pristine, operator_of(node));
  if (!pristine->pure()) return false;
  const bool other = std::any_of(values.begin(), values.end(), [&](const Value& v) {
    return !v.empty() && wants_float32(*pristine, node, ValueType::tensor(v.tensor()->dtype()));
  });
  if (other) return false;  // folded once use_float32 has been here
  std::vector<const Value*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.push_back(node.inputs[i] == kNone ? nullptr : &values[i]);
  }
  Inference inference(graph, node);
  NM_TRY(pristine->infer_outputs(inference));
  NM_ASSIGN(const OperatorPtr op, take_operator(node));
  Preparation preparation(graph, node, [](const std::shared_ptr<Graph>&) -> Result<std::unique_ptr<Body>> {
    return Status(Code::Internal, "a node with subgraphs cannot be folded");
  });
  NM_TRY(op->prepare(preparation));
  std::vector<Value> results;
  const size_t limit = std::max(kSmall, input_bytes * kMaxGrowth);
  NM_ASSIGN(const bool done, evaluate(*op, inference, inputs, scratch, limit, results));
  if (!done) return false;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    GraphValue& v = graph.value(node.outputs[o]);
    v.constant = std::move(*results[o].tensor());
    v.type = ValueType::tensor(v.constant.dtype());
    v.shape = v.constant.shape();
  }
  return true;
}

bool is_weights(const Graph& graph, const Node& node) {
  if (!node.is("DequantizeLinear")) return false;
  const Tensor* t = graph.constant(node.input(0));
  return t != nullptr && (t->dtype() == DType::Int8 || t->dtype() == DType::UInt8 || t->dtype() == DType::Int32);
}

// Not only at the end of the pass, or all weights would be there twice.
void let_go(Graph& graph, const Node& node, uint32_t index, Uses& uses) {
  for (const ValueId id : node.inputs) {
    if (id == kNone || uses.is_output[id]) continue;
    std::vector<uint32_t>& readers = uses.readers[id];
    std::erase(readers, index);
    if (readers.empty()) graph.value(id).constant = Tensor();
  }
}

Result<bool> fold_nodes(Graph& graph, bool weights_too) {
  Scratch scratch;
  Uses uses(graph);
  bool changed = false;
  std::vector<Node> kept;
  kept.reserve(graph.nodes.size());
  for (uint32_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    // Shape and Size of known shapes are constants since infer_types.
    const bool known = std::all_of(node.outputs.begin(), node.outputs.end(),
                                   [&](ValueId id) { return id == kNone || graph.value(id).is_constant(); });
    if (known) {
      changed = true;
      continue;
    }
    if (!weights_too && is_weights(graph, node)) {
      kept.push_back(std::move(node));
      continue;
    }
    auto folded = fold(graph, node, scratch);
    if (!folded.ok()) return folded.take_status().at(node.op_type, node.name);
    if (*folded) {
      let_go(graph, node, n, uses);
      changed = true;
    } else {
      kept.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(kept);
  if (remove_dead_nodes(graph)) changed = true;
  return changed;
}

}  // namespace

Result<bool> fold_constants(Graph& graph) { return fold_nodes(graph, true); }
Result<bool> fold_all_but_weights(Graph& graph) { return fold_nodes(graph, false); }

}  // namespace nm
