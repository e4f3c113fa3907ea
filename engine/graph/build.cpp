#include "engine/graph/build.h"

#include <algorithm>
#include <unordered_map>

#include "engine/base/reserve.h"
#include "engine/base/text.h"
#include "engine/graph/node_order.h"
#include "onnx_schema.h"

namespace nm {
namespace {

namespace AttributeType = onnx::schema::AttributeProto::AttributeType;

std::string_view canonical_domain(std::string_view domain) { return domain == "ai.onnx" ? std::string_view() : domain; }

using OpsetMap = std::map<std::string, int, std::less<>>;

OpsetMap opset_map(const std::vector<onnx::OpsetId>& ids) {
  OpsetMap map;
  for (const onnx::OpsetId& id : ids) {
    map[std::string(canonical_domain(id.domain))] = static_cast<int>(std::clamp<int64_t>(id.version, 0, 1 << 20));
  }
  return map;
}

// Attributes of a function call, for the nodes of its body that refer to them.
using CallAttributes = std::map<std::string_view, const onnx::AttributeProto*>;

class Builder;

// The names visible at one place: a graph's own, then those of the graph around it. A function's body sees only its
// own, so it has no outer scope.
struct Scope {
  Graph& graph;
  Scope* outer = nullptr;
  std::unordered_map<std::string, ValueId> names;
  std::unordered_map<std::string, ValueId> captured;       // name → inner id, of a subgraph
  std::vector<std::pair<ValueId, ValueId>> capture_pairs;  // outer id, inner id

  // kNone when nobody defines the name.
  ValueId find(const std::string& name) {
    if (const auto it = names.find(name); it != names.end()) return it->second;
    if (const auto it = captured.find(name); it != captured.end()) return it->second;
    if (outer == nullptr) return kNone;
    const ValueId outer_id = outer->find(name);
    if (outer_id == kNone) return kNone;
    GraphValue copy = outer->graph.value(outer_id);
    const bool constant = copy.is_constant();
    const ValueId inner = graph.add_value(std::move(copy));
    captured.emplace(name, inner);
    if (!constant) capture_pairs.emplace_back(outer_id, inner);  // constants are shared, not captured
    return inner;
  }
};

class Builder {
 public:
  Builder(const onnx::ModelProto& model, const onnx::ModelFile& file, const ExternalFiles& files, const Limits& limits)
      : model_(model), file_(file), files_(files), limits_(limits), opsets_(opset_map(model.opsets)) {}

  Result<Graph> build() {
    if (model_.opsets.empty() && model_.ir_version >= 3) {
      return Status(Code::InvalidModel, "the model imports no operator set; export it again");
    }
    if (model_.opsets.empty()) opsets_[""] = 1;
    Graph graph;
    graph.symbols = std::make_shared<SymbolTable>();
    Scope scope{graph, nullptr, {}, {}, {}};
    NM_TRY(fill(model_.graph, scope, opsets_, nullptr, 0));
    return graph;
  }

 private:
  Status define(Scope& scope, std::string_view name, ValueId id) {
    if (!scope.names.emplace(std::string(name), id).second) {
      return {Code::InvalidModel, text("the model defines the value '", name, "' twice")};
    }
    return {};
  }

  // `depth` counts the functions and subgraphs around what is built.
  Status fill(const onnx::GraphProto& proto, Scope& scope, const OpsetMap& opsets, const CallAttributes* call,
              uint64_t depth) {
    NM_TRY(check_depth(depth));
    Graph& graph = scope.graph;
    graph.name = proto.name;
    for (const onnx::TensorProto& p : proto.initializers) {
      NM_ASSIGN(Tensor t, decode_tensor(p, &file_, files_));
      NM_TRY(define(scope, p.name, graph.add_constant(std::string(p.name), std::move(t))));
    }
    for (const onnx::SparseTensorProto& p : proto.sparse_initializers) {
      NM_ASSIGN(Tensor t, decode_sparse_tensor(p, &file_, files_));
      NM_TRY(define(scope, p.values.name, graph.add_constant(std::string(p.values.name), std::move(t))));
    }
    for (const onnx::ValueInfoProto& p : proto.inputs) {
      // Before IR version 4 initialisers were listed as inputs too; they are constants here.
      if (scope.names.contains(std::string(p.name))) continue;
      NM_ASSIGN(GraphValue v, declared(p, graph));
      const ValueId id = graph.add_value(std::move(v));
      NM_TRY(define(scope, p.name, id));
      graph.inputs.push_back(id);
    }
    std::unordered_map<std::string_view, const onnx::ValueInfoProto*> infos;
    for (const onnx::ValueInfoProto& p : proto.value_infos) infos.emplace(p.name, &p);
    for (const onnx::ValueInfoProto& p : proto.outputs) infos.emplace(p.name, &p);

    for (const size_t i : node_order(proto.nodes)) NM_TRY(add_node(proto.nodes[i], scope, opsets, call, depth));

    for (const auto& [name, info] : infos) {
      const auto it = scope.names.find(std::string(name));
      if (it == scope.names.end()) continue;
      GraphValue& v = graph.value(it->second);
      if (v.is_constant()) continue;
      NM_ASSIGN(GraphValue d, declared(*info, graph));
      v.type = d.type;
      v.shape = d.shape;
    }
    for (const onnx::ValueInfoProto& p : proto.outputs) {
      const ValueId id = scope.find(std::string(p.name));
      if (id == kNone) return {Code::InvalidModel, text("nothing produces the graph output '", p.name, "'")};
      graph.outputs.push_back(id);
    }
    return {};
  }

  Result<GraphValue> declared(const onnx::ValueInfoProto& p, Graph& graph) {
    GraphValue v;
    v.name = p.name;
    NM_ASSIGN(v.type, decode_type(p.type));
    NM_ASSIGN(v.shape, decode_shape(p.type, *graph.symbols));
    if (v.shape) NM_TRY(check_addressable(text("the value '", p.name, "',"), v.type.dtype, *v.shape));
    return v;
  }

  Status check_depth(uint64_t depth) const {
    if (depth <= limits_.nesting) return {};
    return limit_exceeded(
        "nesting", limits_.nesting,
        text("the model's functions and subgraphs lie in each other ", depth, " deep or call each other without end"));
  }

  const onnx::FunctionProto* function(const onnx::NodeProto& p) const {
    for (const onnx::FunctionProto& f : model_.functions) {
      if (f.name == p.op_type && f.overload == p.overload && canonical_domain(f.domain) == canonical_domain(p.domain)) {
        return &f;
      }
    }
    return nullptr;
  }

  Status add_node(const onnx::NodeProto& p, Scope& scope, const OpsetMap& opsets, const CallAttributes* call,
                  uint64_t depth) {
    // Calls count as well as nodes, or functions that call each other and do nothing would never come to an end.
    if (++nodes_ > limits_.nodes) {
      return limit_exceeded("nodes", limits_.nodes,
                            "with its functions and subgraphs expanded the model has many nodes");
    }
    NM_TRY(check_memory());
    Graph& graph = scope.graph;
    std::vector<ValueId> inputs;
    for (const std::string_view name : p.inputs) {
      ValueId id = kNone;
      if (!name.empty()) {
        id = scope.find(std::string(name));
        if (id == kNone) {
          return Status(Code::InvalidModel,
                        text("nothing produces the node's input '", name, "', or only what needs the node itself"))
              .at(p.op_type, p.name);
        }
      }
      inputs.push_back(id);
    }
    if (const onnx::FunctionProto* f = function(p)) return expand(*f, p, inputs, scope, call, depth);

    Node node;
    // Names are optional; an output's name finds the node just as well.
    node.name = !p.name.empty() || p.outputs.empty() ? p.name : p.outputs[0];
    node.op_type = p.op_type;
    node.domain = canonical_domain(p.domain);
    const auto opset = opsets.find(node.domain);
    // Optimisers write com.microsoft's operators without importing the domain, which has one version.
    if (opset == opsets.end() && node.domain != "com.microsoft") {
      return Status(Code::InvalidModel,
                    text("the model uses the operator domain '", p.domain, "' but does not import it; export it again"))
          .at(p.op_type, p.name);
    }
    node.version = opset == opsets.end() ? 1 : opset->second;
    node.inputs = std::move(inputs);
    node.explicit_inputs = node.inputs.size();
    for (const onnx::AttributeProto& a : p.attributes) {
      const onnx::AttributeProto* source = &a;
      if (!a.ref_attr_name.empty()) {
        if (call == nullptr) continue;
        const auto it = call->find(a.ref_attr_name);
        if (it == call->end()) continue;  // the caller left it out: the operator's default holds
        source = it->second;
      }
      if (a.name.starts_with(kInternalPrefix)) {
        return Status(Code::InvalidModel, text("the attribute name '", a.name, "' is reserved")).at(p.op_type, p.name);
      }
      auto attribute = decode_attribute(*source, node, scope, opsets, call, depth);
      if (!attribute.ok()) return attribute.take_status().at(p.op_type, p.name);
      node.attributes[a.name] = std::move(*attribute);
    }
    for (const std::string_view name : p.outputs) {
      if (name.empty()) {
        node.outputs.push_back(kNone);
        continue;
      }
      GraphValue v;
      v.name = name;
      const ValueId id = graph.add_value(std::move(v));
      NM_TRY(define(scope, name, id));
      node.outputs.push_back(id);
    }
    graph.nodes.push_back(std::move(node));
    return {};
  }

  // A function call becomes the nodes of the function's body, with the call's values in place of its parameters.
  Status expand(const onnx::FunctionProto& f, const onnx::NodeProto& p, const std::vector<ValueId>& inputs,
                Scope& scope, const CallAttributes* outer_call, uint64_t depth) {
    if (Status s = check_depth(depth + 1); !s.ok()) return std::move(s).at(p.op_type, p.name);
    CallAttributes call;
    for (const onnx::AttributeProto& a : f.attribute_defaults) call[a.name] = &a;
    for (const onnx::AttributeProto& a : p.attributes) {
      if (a.ref_attr_name.empty()) {
        call[a.name] = &a;
      } else if (outer_call != nullptr) {
        if (const auto it = outer_call->find(a.ref_attr_name); it != outer_call->end()) call[a.name] = it->second;
      }
    }
    Scope body{scope.graph, nullptr, {}, {}, {}};
    for (size_t i = 0; i < f.inputs.size(); ++i) {
      const ValueId id = i < inputs.size() ? inputs[i] : kNone;
      if (id != kNone) NM_TRY(define(body, f.inputs[i], id));
    }
    const OpsetMap opsets = opset_map(f.opsets);
    for (const size_t i : node_order(f.nodes)) {
      onnx::NodeProto present = f.nodes[i];  // parameters that the call leaves out are absent in the body
      for (std::string_view& name : present.inputs) {
        const bool parameter = std::find(f.inputs.begin(), f.inputs.end(), name) != f.inputs.end();
        if (parameter && !body.names.contains(std::string(name))) name = {};
      }
      NM_TRY(add_node(present, body, opsets, &call, depth + 1));
    }
    for (size_t i = 0; i < p.outputs.size(); ++i) {
      if (p.outputs[i].empty()) continue;
      const ValueId id = i < f.outputs.size() ? body.find(std::string(f.outputs[i])) : kNone;
      if (id == kNone) {
        return Status(Code::InvalidModel, text("the function does not produce its output ", i)).at(p.op_type, p.name);
      }
      NM_TRY(define(scope, p.outputs[i], id));
      scope.graph.value(id).name = p.outputs[i];
    }
    return {};
  }

  Result<Attribute> decode_attribute(const onnx::AttributeProto& a, Node& node, Scope& scope, const OpsetMap& opsets,
                                     const CallAttributes* call, uint64_t depth) {
    switch (attribute_type(a)) {
      case AttributeType::INT:
        return Attribute(a.i);
      case AttributeType::FLOAT:
        return Attribute(a.f);
      case AttributeType::STRING:
        return Attribute(std::string(a.s));
      case AttributeType::INTS:
        return Attribute(a.ints);
      case AttributeType::FLOATS:
        return Attribute(a.floats);
      case AttributeType::STRINGS:
        return Attribute(std::vector<std::string>(a.strings.begin(), a.strings.end()));
      case AttributeType::TENSOR:
        if (a.tensors.size() == 1) {
          NM_ASSIGN(Tensor t, decode_tensor(a.tensors[0], &file_, files_));
          return Attribute(std::move(t));
        }
        break;
      case AttributeType::SPARSE_TENSOR:
        if (a.sparse_tensors.size() == 1) {
          NM_ASSIGN(Tensor t, decode_sparse_tensor(a.sparse_tensors[0], &file_, files_));
          return Attribute(std::move(t));
        }
        break;
      case AttributeType::TENSORS: {
        std::vector<Tensor> list;
        for (const onnx::TensorProto& p : a.tensors) {
          NM_ASSIGN(Tensor t, decode_tensor(p, &file_, files_));
          list.push_back(std::move(t));
        }
        return Attribute(std::move(list));
      }
      case AttributeType::TYPE_PROTO:
        if (a.type_protos.size() == 1) {
          NM_ASSIGN(ValueType type, decode_type(a.type_protos[0]));
          return Attribute(std::move(type));
        }
        break;
      case AttributeType::GRAPH:
        if (a.graphs.size() == 1) return subgraph(a.graphs[0], node, scope, opsets, call, depth);
        break;
    }
    return Status(Code::InvalidModel, text("the attribute '", a.name, "' has no value of a type that ONNX knows"));
  }

  // Files older than IR version 3 leave the type out.
  static int attribute_type(const onnx::AttributeProto& a) {
    if (a.type != 0) return a.type;
    if (!a.ints.empty()) return AttributeType::INTS;
    if (!a.floats.empty()) return AttributeType::FLOATS;
    if (!a.strings.empty()) return AttributeType::STRINGS;
    if (!a.tensors.empty()) return AttributeType::TENSOR;
    if (!a.graphs.empty()) return AttributeType::GRAPH;
    if (a.f != 0) return AttributeType::FLOAT;
    if (a.s.data() != nullptr) return AttributeType::STRING;
    return AttributeType::INT;
  }

  Result<Attribute> subgraph(const onnx::GraphProto& proto, Node& node, Scope& outer, const OpsetMap& opsets,
                             const CallAttributes* call, uint64_t depth) {
    auto graph = std::make_shared<Graph>();
    graph->symbols = outer.graph.symbols;
    Scope scope{*graph, &outer, {}, {}, {}};
    NM_TRY(fill(proto, scope, opsets, call, depth + 1));
    for (const auto& [outer_id, inner_id] : scope.capture_pairs) {
      graph->captures.push_back({inner_id, node.inputs.size()});
      node.inputs.push_back(outer_id);
    }
    return Attribute(std::move(graph));
  }

  const onnx::ModelProto& model_;
  const onnx::ModelFile& file_;
  const ExternalFiles& files_;
  const Limits& limits_;
  uint64_t nodes_ = 0;
  OpsetMap opsets_;
};

}  // namespace

Result<Graph> build_graph(const onnx::ModelProto& model, const onnx::ModelFile& file, const ExternalFiles& files,
                          const Limits& limits) {
  return Builder(model, file, files, limits).build();
}

}  // namespace nm
