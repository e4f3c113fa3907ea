// What dynamic quantisation leaves behind an integer product — MatMulInteger → Cast → Mul by the scales → Add of a
// bias — happens to the sums while they are at hand. The scales' own product is taken in as well.
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

class DequantizeFusion {
 public:
  explicit DequantizeFusion(Graph& graph) : graph_(graph), uses_(graph) {}

  bool run() {
    bool changed = false;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (graph_.nodes[n].is("MatMulInteger") && graph_.nodes[n].inputs.size() <= 4) changed = fuse(n) || changed;
    }
    if (changed) remove_dead_nodes(graph_);
    return changed;
  }

 private:
  // The only reader of a node's result.
  std::optional<size_t> reader(size_t node) const {
    const ValueId out = graph_.nodes[node].outputs[0];
    if (out == kNone || !uses_.single_reader(out)) return std::nullopt;
    return uses_.readers[out][0];
  }
  static ValueId other(const Node& binary, ValueId one) { return binary.inputs[binary.inputs[0] == one ? 1 : 0]; }

  // One float, or one for each of n columns, that broadcasting does not let the result grow.
  bool per_column(ValueId id, int64_t n) const {
    if (id == kNone) return false;
    const GraphValue& v = graph_.value(id);
    return v.type.is_tensor() && v.type.dtype == DType::Float32 && v.shape && v.shape->known() &&
           v.shape->rank() <= 1 && (v.shape->count() == 1 || v.shape->count() == n);
  }

  bool fuse(size_t at) {
    const auto cast = reader(at);
    if (!cast || !graph_.nodes[*cast].is("Cast")) return false;
    if (graph_.value(graph_.nodes[*cast].outputs[0]).type.dtype != DType::Float32) return false;
    const auto mul = reader(*cast);
    if (!mul || !graph_.nodes[*mul].is("Mul") || graph_.nodes[*mul].version < 7) return false;
    const auto& a = graph_.value(graph_.nodes[at].input(0)).shape;
    const auto& b = graph_.value(graph_.nodes[at].input(1)).shape;
    if (!a || !b || a->rank() < 1 || b->rank() < 2 || b->back() < 0) return false;
    const int64_t n = b->back();
    const ValueId scale = other(graph_.nodes[*mul], graph_.nodes[*cast].outputs[0]);
    if (!per_column(scale, n)) return false;
    Node fused = graph_.nodes[at];
    fused.inputs.resize(4, kNone);
    const uint32_t by = uses_.producer[scale];
    const Node* product = by == kNoNode ? nullptr : &graph_.nodes[by];
    if (product && product->is("Mul") && product->version >= 7 && per_column(product->input(0), n) &&
        per_column(product->input(1), n)) {
      fused.inputs.insert(fused.inputs.end(), {product->inputs[0], product->inputs[1]});
    } else {
      fused.inputs.insert(fused.inputs.end(), {scale, kNone});
    }
    size_t last = *mul;
    if (const auto add = reader(*mul); add && graph_.nodes[*add].is("Add") && graph_.nodes[*add].version >= 7) {
      const ValueId offset = other(graph_.nodes[*add], graph_.nodes[*mul].outputs[0]);
      const Tensor* t = graph_.constant(offset);
      if (t != nullptr && t->dtype() == DType::Float32 && t->rank() == 1 && t->count() == n) {
        fused.inputs.push_back(offset);
        last = *add;
      }
    }
    fused.explicit_inputs = fused.inputs.size();
    fused.outputs = graph_.nodes[last].outputs;
    fused.attributes["nm_dequantizes"] = int64_t{1};
    // The last node's output keeps its one producer; those in between go.
    graph_.nodes[last] = std::move(fused);
    return true;
  }

  Graph& graph_;
  const Uses uses_;
};

}  // namespace

Result<bool> fuse_dequantize(Graph& graph) { return DequantizeFusion(graph).run(); }

}  // namespace nm
