#include "engine/op/composition.h"
#include "engine/op/shape_contents.h"
#include "engine/passes/passes.h"
#include "engine/passes/precision.h"

namespace nm {
namespace {

// What a subgraph sees of the outer graph: captures have the outer value's type and shape. The subgraph's own inputs
// keep what the file declares, since loops may change shapes from one turn to the next; a type it leaves out is taken
// from the node's matching input by the operators that run bodies.
Status infer_subgraphs(const Graph& graph, const Node& node) {
  for (const auto& [name, attribute] : node.attributes) {
    const auto* sub = std::get_if<std::shared_ptr<Graph>>(&attribute);
    if (sub == nullptr) continue;
    for (const Capture& c : (*sub)->captures) {
      const GraphValue& outer = graph.value(node.inputs[c.input]);
      GraphValue& inner = (*sub)->value(c.inner);
      inner.type = outer.type;
      inner.shape = outer.shape;
    }
    NM_TRY(infer_types(**sub));
  }
  return {};
}

// The output types that follow from inputs of which some were replaced by float32: the operator tells by itself where
// it takes the original ones; where it does not, its float32 outputs are as narrow or wide as those inputs.
void restore_types(const Operator& op, const std::vector<ValueType>& types, Inference& inference) {
  Inference original(types.size(), inference.output_count());
  DType other = DType::Undefined;
  for (size_t i = 0; i < types.size(); ++i) {
    if (!inference.has(i)) continue;
    original.input_slot(i) = {types[i], std::nullopt, nullptr, true};
    if (inference.type(i) != types[i].dtype) other = types[i].dtype;
  }
  const bool told = op.infer_outputs(original).ok();
  for (size_t o = 0; o < inference.output_count(); ++o) {
    ValueType& said = inference.output_slot(o).type;
    if (!said.is_tensor() || said.dtype != DType::Float32) continue;
    said.dtype = told ? original.output_slot(o).type.dtype : other;
  }
}

// Adds what is known more exactly: a rank, numbers, symbols.
void refine(std::optional<Shape>& shape, const Shape& known) {
  if (!shape) shape = known;
  if (shape->rank() != known.rank()) return;
  for (int i = 0; i < known.rank(); ++i) {
    if ((*shape)[i] == kUnknownDim || ((*shape)[i] < 0 && known[i] >= 0)) (*shape)[i] = known[i];
  }
}

// An unknown dimension becomes a symbol without a name, so that values derived from this one can be seen to have the
// same dimension. A later inference keeps the symbol. The file's own names for computed dimensions are not used: they
// may be wrong.
void name_unknown(Graph& graph, std::optional<Shape>& shape, const std::optional<Shape>& before) {
  if (!shape || !graph.symbols) return;
  for (int i = 0; i < shape->rank(); ++i) {
    if ((*shape)[i] != kUnknownDim) continue;
    const int64_t old = before && before->rank() == shape->rank() ? (*before)[i] : kUnknownDim;
    (*shape)[i] = old < kUnknownDim && graph.symbols->name(old).empty() ? old : graph.symbols->dim("");
  }
}

Status infer_node(Graph& graph, const Node& node, ShapeContents& contents) {
  NM_TRY(infer_subgraphs(graph, node));
  NM_ASSIGN(const Operator* op, operator_of(node));
  Inference inference(graph, node);
  std::vector<ValueType> types(node.inputs.size());
  bool replaced = false;  // by float32, as use_float32 will
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const GraphValue& v = graph.value(node.inputs[i]);
    types[i] = v.type;
    if (wants_float32(*op, node, v.type) && !packs_as_is(*op, i, v)) {
      replaced = true;
      inference.input_slot(i).type = ValueType::tensor(DType::Float32);
      inference.input_slot(i).value = nullptr;
    }
  }
  NM_TRY(op->infer_outputs(inference));
  if (replaced) restore_types(*op, types, inference);
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    GraphValue& v = graph.value(node.outputs[o]);
    Inference::Output& said = inference.output_slot(o);
    if (said.type.dtype != DType::Undefined || !said.type.is_tensor()) v.type = said.type;
    const std::optional<Shape> before = v.shape;
    if (said.shape) v.shape = said.shape;
    if (said.value.defined()) v.constant = std::move(said.value);
    if (const auto shape = o == 0 ? contents.output_shape(graph, node) : std::nullopt) refine(v.shape, *shape);
    name_unknown(graph, v.shape, before);
  }
  contents.follow(graph, node);
  return {};
}

// The nodes that stand for `node`, types inferred, appended to `nodes`. What a composition is made of may be
// compositions in turn, of simpler ones.
Status append(Graph& graph, Node node, ShapeContents& contents, std::vector<Node>& nodes) {
  const Compose compose = composition_of(node);
  if (compose == nullptr) {
    NM_TRY(infer_node(graph, node, contents).at(node.op_type, node.name));
    nodes.push_back(std::move(node));
    return {};
  }
  Composition composition(graph, node);
  compose(composition);
  auto parts = composition.take();
  if (!parts.ok()) return parts.take_status().at(node.op_type, node.name);
  for (Node& part : *parts) {
    NM_TRY(check_signature(part));  // it may have the call's attributes
    NM_TRY(append(graph, std::move(part), contents, nodes));
  }
  return {};
}

}  // namespace

Status infer_types(Graph& graph) {
  ShapeContents contents;
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  for (Node& node : graph.nodes) NM_TRY(append(graph, std::move(node), contents, nodes));
  graph.nodes = std::move(nodes);
  return {};
}

}  // namespace nm
