// What stands around a matrix product and is no work for its kernel: transposed operands, a factor, a bias.
#include <cmath>

#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

bool is_matmul(const Node& n) { return n.is("MatMul") || n.is("FusedMatMul", kMicrosoftDomain); }

// Nothing happens to its sums yet.
bool is_bare(const Node& n) {
  return n.input(2) == kNone && n.input(3) == kNone && !n.attributes.contains("nm_activation");
}

void make_fused(Node& n) {
  n.op_type = "FusedMatMul";
  n.domain = kMicrosoftDomain;
  n.version = 1;
}

class Products {
 public:
  explicit Products(Graph& graph) : graph_(graph), uses_(graph) {}

  bool run() {
    bool changed = false;
    for (Node& node : graph_.nodes) {
      const bool gemm = node.is("Gemm");
      if ((!gemm && !is_matmul(node)) || !is_float32(graph_.value(node.outputs[0]))) continue;
      if (!gemm) {
        while (take_from_operand(node, 0) || take_from_operand(node, 1)) changed = true;
        while (take_factor(node)) changed = true;
      }
      if (take_bias(node)) changed = true;
    }
    if (changed) remove_dead_nodes(graph_);
    return changed;
  }

 private:
  // The node that computes a value for nobody else. What a product has taken over computes it no more.
  Node* producer(ValueId id) const {
    const uint32_t at = uses_.producer[id];
    if (at == kNoNode || !uses_.single_reader(id)) return nullptr;
    Node& n = graph_.nodes[at];
    return n.outputs[0] == id ? &n : nullptr;
  }

  // The number that `n` multiplies its input `side` with.
  std::optional<float> factor(const Node& n, size_t side) const {
    const bool divides = n.is("Div");
    if ((!divides && !n.is("Mul")) || n.version < 7 || n.inputs.size() != 2 || (divides && side == 1)) return {};
    const auto v = scalar_constant(graph_, n.inputs[1 - side]);
    const auto& shape = graph_.value(n.inputs[side]).shape;
    if (!v || !shape || graph_.constant(n.inputs[1 - side])->rank() > shape->rank()) return {};
    const float by = divides ? 1 / *v : *v;
    return is_moderate(by) ? std::optional(by) : std::nullopt;
  }

  // Not beyond what leaves a product's bits alone: a factor of 0 or ∞, or two that only cancel out, may say otherwise.
  static bool is_moderate(float by) { return std::abs(by) >= 1e-9f && std::abs(by) <= 1e9f; }

  void scale(Node& product, float by) {
    make_fused(product);
    product.attributes["alpha"] = attribute(product, "alpha", 1.f) * by;
  }

  bool take_from_operand(Node& product, size_t side) {
    Node* n = producer(product.inputs[side]);
    if (n == nullptr) return false;
    for (const size_t in : {size_t{0}, size_t{1}}) {
      const auto by = factor(*n, in);
      if (!by) continue;
      scale(product, *by);
      product.inputs[side] = n->inputs[in];
      return true;
    }
    const char* const batches[] = {"transBatchA", "transBatchB"};
    if (!n->is("Transpose") || attribute(product, batches[side], int64_t{0}) != 0) return false;
    const auto perm = attribute(*n, "perm", std::vector<int64_t>());
    const auto& shape = graph_.value(n->inputs[0]).shape;
    if (!shape || shape->rank() < 2 || !swaps_last(perm, shape->rank())) return false;
    const char* const name = side == 0 ? "transA" : "transB";
    make_fused(product);
    product.attributes[name] = int64_t{attribute(product, name, int64_t{0}) == 0};
    product.inputs[side] = n->inputs[0];
    return true;
  }

  static bool swaps_last(const std::vector<int64_t>& perm, int rank) {
    if (perm.empty()) return rank == 2;
    for (int i = 0; i < rank; ++i) {
      const int from = i < rank - 2 ? i : 2 * rank - 3 - i;
      if (perm[static_cast<size_t>(i)] != from) return false;
    }
    return true;
  }

  // The only node behind the product, and which of its inputs that is.
  Node* reader(const Node& product, size_t& side) const {
    const ValueId y = product.outputs[0];
    if (!uses_.single_reader(y)) return nullptr;
    Node& n = graph_.nodes[uses_.readers[y][0]];
    side = n.inputs[0] == y ? 0 : 1;
    return &n;
  }

  // The node behind now leads nowhere.
  void take_over(Node& product, Node& next) { std::swap(product.outputs[0], next.outputs[0]); }

  bool take_factor(Node& product) {
    size_t side = 0;
    Node* next = is_bare(product) ? reader(product, side) : nullptr;
    const auto by = next != nullptr ? factor(*next, side) : std::nullopt;
    if (!by) return false;
    scale(product, *by);
    take_over(product, *next);
    return true;
  }

  bool take_bias(Node& product) {
    size_t side = 0;
    Node* next = is_bare(product) ? reader(product, side) : nullptr;
    if (next == nullptr || !next->is("Add") || next->version < 7 || next->inputs.size() != 2) return false;
    const ValueId bias = next->inputs[1 - side];
    for (const ValueId id : {product.inputs[0], product.inputs[1]}) {  // of a vector's product the last is no column
      const auto& operand = graph_.value(id).shape;
      if (!operand || operand->rank() < 2) return false;
    }
    const auto &out = graph_.value(product.outputs[0]).shape, &shape = graph_.value(bias).shape;
    const Tensor* t = graph_.constant(bias);
    if (!out || out->rank() == 0 || out->back() < 0 || !shape || !is_float32(graph_.value(bias))) return false;
    const Shape row{out->back()};
    if (t == nullptr || t->raw() == nullptr || t->rank() == 0 || t->rank() > out->rank() || t->count() != row[0] ||
        t->shape().back() != row[0]) {
      return false;
    }
    product.inputs.resize(3, kNone);
    product.explicit_inputs = 3;
    product.inputs[2] = *shape == row ? bias : graph_.add_constant(graph_.value(bias).name, t->reshaped(row));
    product.attributes.erase("beta");
    take_over(product, *next);
    return true;
  }

  Graph& graph_;
  Uses uses_;
};

}  // namespace

Result<bool> fuse_products(Graph& graph) { return Products(graph).run(); }

}  // namespace nm
