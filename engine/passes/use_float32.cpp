// float16 and bfloat16 are how weights and inputs are stored; arithmetic is float32. Values that arithmetic nodes read
// are cast once, stay float32 from node to node, and become 16-bit again where a node or an output insists on it. The
// same happens to float64 around the few operators that have no code for it; theirs are results in single precision.
#include <algorithm>

#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/precision.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

bool is_16_bit(const ValueType& t) {
  return t.is_tensor() && (t.dtype == DType::Float16 || t.dtype == DType::BFloat16);
}

class Float32User {
 public:
  explicit Float32User(Graph& graph) : graph_(graph), wide_(graph, kNone), made_(graph) {}

  Result<bool> run() {
    const auto other = [](const GraphValue& v) {
      return v.type.is_tensor() && is_float(v.type.dtype) && v.type.dtype != DType::Float32;
    };
    if (std::none_of(graph_.values.begin(), graph_.values.end(), other)) return false;
    for (Node& node : graph_.nodes) {
      if (Status s = rewrite(std::move(node)); !s.ok()) return s;
    }
    // Original forms that outputs still read, but that only exist as float32.
    graph_.nodes = std::move(nodes_);
    for (ValueId& id : graph_.outputs) {
      if (original_missing(id)) graph_.nodes.push_back(cast(wide_of(id), id, graph_.value(id).type.dtype));
      // An output named twice is cast once.
      if (made_.contains(id)) made_[id] = false;
    }
    return true;
  }

 private:
  // A value whose producer computes float32: only that form is there.
  bool original_missing(ValueId id) const { return made_.get(id, false); }
  ValueId wide_of(ValueId id) const { return wide_.get(id, kNone); }
  ValueId add_wide(ValueId id) {
    GraphValue v;
    v.name = graph_.value(id).name;
    v.type = ValueType::tensor(DType::Float32);
    v.shape = graph_.value(id).shape;
    return wide_[id] = graph_.add_value(std::move(v));
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

  // Gives a node that reads the value as it was what it wants.
  void ensure_original(ValueId id) {
    if (id == kNone || !original_missing(id)) return;
    nodes_.push_back(cast(wide_of(id), id, graph_.value(id).type.dtype));
    made_[id] = false;
  }

  Status rewrite(Node node) {
    const bool tensors_only =
        node.inputs.size() == node.explicit_inputs &&
        std::all_of(node.inputs.begin(), node.inputs.end(),
                    [&](ValueId id) { return id == kNone || graph_.value(id).type.is_tensor(); }) &&
        std::all_of(node.outputs.begin(), node.outputs.end(),
                    [&](ValueId id) { return id == kNone || graph_.value(id).type.is_tensor(); });
    NM_ASSIGN(const Operator* op, operator_of(node));
    const bool moves = op->native_float16();
    const auto replaced = [&](ValueId id) {
      if (id == kNone) return false;
      const ValueType& type = graph_.value(id).type;
      return moves ? is_16_bit(type) : wants_float32(*op, node, type);
    };
    // A node that moves 16-bit values as they are follows its inputs: no point in narrowing for it.
    const bool follows = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      return !replaced(id) || wide_of(id) != kNone || graph_.constant(id) != nullptr;
    });
    const bool touched = std::any_of(node.inputs.begin(), node.inputs.end(), replaced);
    if (!tensors_only || !touched || (moves && !follows)) {
      for (const ValueId id : node.inputs) ensure_original(id);
      nodes_.push_back(std::move(node));
      return {};
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      ValueId& id = node.inputs[i];
      if (id == kNone || !replaced(id) || packs_as_is(*op, i, graph_.value(id))) continue;
      NM_ASSIGN(id, widened(id));
    }
    Inference inference(graph_, node);
    if (Status s = op->infer_outputs(inference); !s.ok()) return std::move(s).at(node.op_type, node.name);
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      ValueId& id = node.outputs[o];
      // Cast and its like say their type themselves: those outputs stay as they are.
      if (!replaced(id) || inference.output_slot(o).type.dtype != DType::Float32) continue;
      made_[id] = true;
      id = add_wide(id);
    }
    nodes_.push_back(std::move(node));
    return {};
  }

  Graph& graph_;
  PerValue<ValueId> wide_;  // by original value: its float32 form
  PerValue<bool> made_;     // by original value: the original form is not computed (yet)
  std::vector<Node> nodes_;
};

}  // namespace

bool wants_float32(const Operator& op, const Node& node, const ValueType& type) {
  if (is_16_bit(type)) return !op.native_float16();
  return type.is_tensor() && type.dtype == DType::Float64 && facts_of(node).single_precision;
}

Result<bool> use_float32(Graph& graph) { return Float32User(graph).run(); }

}  // namespace nm
