// float16 and bfloat16 are how weights and inputs are stored; arithmetic is float32. Values that arithmetic nodes read
// are cast once, stay float32 from node to node, and become 16-bit again where a node or an output insists on it.
#include <algorithm>

#include "engine/ops/operator.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

bool is_narrow(DType t) { return t == DType::Float16 || t == DType::BFloat16; }

class Widener {
 public:
  explicit Widener(Graph& graph) : graph_(graph), wide_(graph.values.size(), kNone), made_(graph.values.size()) {}

  Result<bool> run() {
    const auto narrow = [](const GraphValue& v) { return v.type.is_tensor() && is_narrow(v.type.dtype); };
    if (std::none_of(graph_.values.begin(), graph_.values.end(), narrow)) return false;
    for (Node& node : graph_.nodes) {
      if (Status s = rewrite(std::move(node)); !s.ok()) return s;
    }
    // Narrow forms that outputs and 16-bit nodes still read, but that only exist as float32.
    graph_.nodes = std::move(nodes_);
    for (ValueId& id : graph_.outputs) {
      if (narrow_missing(id)) graph_.nodes.push_back(cast(wide_of(id), id, graph_.value(id).type.dtype));
      // An output named twice is narrowed once.
      if (static_cast<size_t>(id) < made_.size()) made_[static_cast<size_t>(id)] = false;
    }
    return true;
  }

 private:
  // A value whose producer was widened: only the float32 form has been computed.
  bool narrow_missing(ValueId id) const {
    return static_cast<size_t>(id) < made_.size() && made_[static_cast<size_t>(id)];
  }
  ValueId wide_of(ValueId id) const {
    return static_cast<size_t>(id) < wide_.size() ? wide_[static_cast<size_t>(id)] : kNone;
  }
  bool narrow(ValueId id) const {
    const ValueType& t = graph_.value(id).type;
    return t.is_tensor() && is_narrow(t.dtype);
  }

  ValueId add_wide(ValueId id) {
    GraphValue v;
    v.name = graph_.value(id).name;
    v.type = ValueType::tensor(DType::Float32);
    v.shape = graph_.value(id).shape;
    return wide_[static_cast<size_t>(id)] = graph_.add_value(std::move(v));
  }

  Node cast(ValueId from, ValueId to, DType dtype) {
    Node n;
    n.name = graph_.value(to).name;
    n.op_type = "Cast";
    n.version = 13;
    n.inputs = {from};
    n.explicit_inputs = 1;
    n.outputs = {to};
    n.attributes["to"] = static_cast<int64_t>(dtype);
    return n;
  }

  Result<ValueId> widened(ValueId id) {
    if (wide_of(id) != kNone) return wide_of(id);
    const ValueId to = add_wide(id);
    nodes_.push_back(cast(id, to, DType::Float32));
    return to;
  }

  // Gives a node that reads 16-bit values what it wants.
  void ensure_narrow(ValueId id) {
    if (id == kNone || !narrow_missing(id)) return;
    nodes_.push_back(cast(wide_of(id), id, graph_.value(id).type.dtype));
    made_[static_cast<size_t>(id)] = false;
  }

  Status rewrite(Node node) {
    const auto touches = [&](const std::vector<ValueId>& ids) {
      return std::any_of(ids.begin(), ids.end(), [&](ValueId id) { return id != kNone && narrow(id); });
    };
    const bool tensors_only =
        node.inputs.size() == node.explicit_inputs &&
        std::all_of(node.inputs.begin(), node.inputs.end(),
                    [&](ValueId id) { return id == kNone || graph_.value(id).type.is_tensor(); }) &&
        std::all_of(node.outputs.begin(), node.outputs.end(),
                    [&](ValueId id) { return id == kNone || graph_.value(id).type.is_tensor(); });
    NM_ASSIGN(const OperatorPtr op, create_operator(node));
    // A node that moves 16-bit values as they are follows its inputs: no point in narrowing for it.
    const bool follows = op->native_float16() && touches(node.inputs) &&
                         std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
                           return id == kNone || !narrow(id) || wide_of(id) != kNone || graph_.constant(id) != nullptr;
                         });
    const bool widen = tensors_only && touches(node.inputs) && (follows || !op->native_float16());
    if (!widen) {
      for (const ValueId id : node.inputs) ensure_narrow(id);
      nodes_.push_back(std::move(node));
      return {};
    }
    Inference c(node.inputs.size(), node.outputs.size());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      ValueId& id = node.inputs[i];
      if (id == kNone) continue;
      if (narrow(id) && !(op->packs_float16(i) && graph_.constant(id) != nullptr)) {
        NM_ASSIGN(id, widened(id));
      }
      const GraphValue& v = graph_.value(id);
      c.input_slot(i) = {v.type, v.shape, v.is_constant() && v.constant.raw() ? &v.constant : nullptr, true};
    }
    for (size_t o = 0; o < node.outputs.size(); ++o) c.output_slot(o).wanted = node.outputs[o] != kNone;
    if (Status s = op->infer(c); !s.ok()) return std::move(s).at(node.op_type, node.name);
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      ValueId& id = node.outputs[o];
      // Cast and its like say their type themselves: those outputs stay 16-bit.
      if (id == kNone || !narrow(id) || is_narrow(c.output_slot(o).type.dtype)) continue;
      made_[static_cast<size_t>(id)] = true;
      id = add_wide(id);
    }
    nodes_.push_back(std::move(node));
    return {};
  }

  Graph& graph_;
  std::vector<ValueId> wide_;  // by original value: its float32 form
  std::vector<bool> made_;     // by original value: the 16-bit form is not computed (yet)
  std::vector<Node> nodes_;
};

}  // namespace

Result<bool> widen_float16(Graph& graph) { return Widener(graph).run(); }

}  // namespace nm
