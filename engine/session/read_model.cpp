#include "engine/session/read_model.h"

#include <algorithm>
#include <map>

#include "engine/base/text.h"
#include "engine/graph/build.h"
#include "engine/op/registry.h"
#include "engine/packed/reader.h"
#include "engine/packed/writer.h"
#include "engine/passes/passes.h"
#include "engine/session/blame_memory.h"
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
  for (const Node& n : graph.nodes) ++operators[n.domain.empty() ? n.op_type : n.domain + "." + n.op_type];
  facts.operators.assign(operators.begin(), operators.end());
  facts.warnings = model_warnings(model);
  facts.nodes = static_cast<int64_t>(graph.nodes.size());
  facts.weight_bytes = static_cast<int64_t>(constant_bytes(graph));
  return facts;
}

Result<Model> read_onnx(const onnx::ModelFile& file, const ExternalFiles& external, const LoadOptions& options) {
  NM_ASSIGN(const onnx::ModelProto proto, onnx::read_model(file.rest()));
  Model model{std::make_shared<Graph>(), {}};
  NM_ASSIGN(*model.graph, build_graph(proto, file, external, options.limits));
  NM_TRY(fix_dimensions(*model.graph, options.dimensions));
  NM_TRY(check_supported(*model.graph));
  NM_TRY(infer_types(*model.graph));
  model.facts = facts_of(proto, *model.graph);
  return model;
}

// Operators pack the constants that their inference has seen. In a packed model nobody has inferred anything yet, and
// its constants may have any shape.
Status infer_constants(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (const auto& [name, attribute] : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute);
      if (body != nullptr) NM_TRY(infer_constants(**body));
    }
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId id) { return id != kNone && graph.value(id).is_constant(); });
    if (!any) continue;
    NM_ASSIGN(const Operator* op, operator_of(node));
    Inference c(graph, node);
    if (Status s = op->infer_outputs(c); !s.ok()) return std::move(s).at(node.op_type, node.name);
  }
  return {};
}

Result<Model> read_packed(const packed::File& file, const LoadOptions& options) {
  if (!options.optimize || options.passes != SIZE_MAX) {
    return Status(Code::InvalidArgument,
                  "a packed model has been optimised when it was packed; load the ONNX file to leave passes out");
  }
  if (!options.dimensions.empty()) {
    return Status(
        Code::InvalidArgument,
        "the dimensions of a packed model have been fixed when it was packed; pack the ONNX file with others");
  }
  NM_ASSIGN(Model model, packed::read(file, options.limits));
  NM_TRY(check_operators(*model.graph));
  NM_TRY(infer_constants(*model.graph));
  return model;
}

}  // namespace

Result<Model> read_model(IncomingModel file, LoadOptions options) {
  if (const packed::File* packed = file.packed()) return read_packed(*packed, options);
  Model model;
  {
    // What the graph does not hold goes before the passes work.
    const onnx::ModelFile read = std::move(*file.onnx());
    const ExternalFiles external = std::move(options.external);
    NM_ASSIGN(model, read_onnx(read, external, options));
  }
  NM_TRY(run_passes(*model.graph, options.optimize ? options.passes : 0));
  return model;
}

Result<Tensor> pack_model(IncomingModel file, LoadOptions options, bool names) {
  NM_TRY(refill_reserve());
  const auto pack = [&]() -> Result<Tensor> {
    if (file.packed() != nullptr) {
      return Status(Code::InvalidArgument, "the model is packed already; to pack it anew, give the ONNX file");
    }
    NM_ASSIGN(const Model model, read_model(std::move(file), std::move(options)));
    return packed::write(model, names);
  };
  auto packed = pack();
  if (!packed.ok()) return blame_memory(packed.take_status());
  return packed;
}

}  // namespace nm
