#include "engine/session/read_onnx.h"

#include <algorithm>
#include <map>

#include "engine/base/text.h"
#include "engine/graph/build.h"
#include "engine/op/custom.h"
#include "engine/passes/passes.h"
#include "engine/session/model_warnings.h"

namespace nm {
namespace {

std::vector<Port> ports(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<Port> list;
  for (const ValueId id : ids) {
    const GraphValue& v = graph.value(id);
    list.push_back({v.name, v.type, v.shape});
  }
  return list;
}

// Adds what a graph has, and the bodies of its nodes.
void add_contents(const Graph& graph, ModelFacts& facts, std::map<std::string, int64_t>& operators) {
  facts.nodes += static_cast<int64_t>(graph.nodes.size());
  facts.weight_bytes += static_cast<int64_t>(constant_bytes(graph));
  for (const Node& n : graph.nodes) {
    ++operators[n.domain.empty() ? n.op_type : n.domain + "." + n.op_type];
    for (const auto& [name, attribute] : n.attributes) {
      if (const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute)) add_contents(**body, facts, operators);
    }
  }
}

// `graph` has its types, and the passes still before it.
ModelFacts facts_of(const onnx::ModelProto& model, const Graph& graph) {
  ModelFacts facts;
  facts.name = graph.name;
  facts.producer = text(model.producer_name, model.producer_version.empty() ? "" : " ", model.producer_version);
  for (const onnx::OpsetId& o : model.opsets)
    facts.opsets.emplace_back(o.domain.empty() ? "ai.onnx" : o.domain, o.version);
  for (const auto& [key, value] : model.metadata) facts.metadata.emplace_back(key, value);
  facts.inputs = ports(graph, graph.inputs);
  facts.outputs = ports(graph, graph.outputs);
  std::map<std::string, int64_t> operators;
  add_contents(graph, facts, operators);
  facts.operators.assign(operators.begin(), operators.end());
  facts.warnings = model_warnings(model);
  return facts;
}

Result<Model> read(const onnx::ModelFile& file, const ExternalFiles& external, const LoadOptions& options) {
  NM_ASSIGN(const onnx::ModelProto proto, onnx::read_model(file.rest()));
  Model model{std::make_shared<Graph>(), {}};
  NM_ASSIGN(*model.graph, build_graph(proto, file, external, options.limits));
  NM_TRY(fix_dimensions(*model.graph, options.dimensions));
  NM_TRY(mark_custom(*model.graph, options.custom));
  NM_TRY(check_supported(*model.graph));
  NM_TRY(infer_types(*model.graph));
  model.facts = facts_of(proto, *model.graph);
  return model;
}

}  // namespace

Result<Model> read_onnx(onnx::ModelFile file, LoadOptions options) {
  Model model;
  {
    // What the graph does not hold goes before the passes work.
    const onnx::ModelFile rest = std::move(file);
    const ExternalFiles external = std::move(options.external);
    NM_ASSIGN(model, read(rest, external, options));
  }
  if (options.quantize_weights) NM_TRY(quantize_weights(*model.graph));
  NM_TRY(run_passes(*model.graph, options.optimize ? options.passes : 0));
  return model;
}

}  // namespace nm
