// An activation behind a convolution or a matrix product becomes part of it.
#include <cmath>

#include "engine/ops/activation.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

struct Function {
  Activation kind = Activation::None;
  float a = 0, b = 0;
};

// An activation that starts at some value, and the node that ends it.
struct Match {
  Activation kind = Activation::None;
  float a = 0, b = 0;
  uint32_t last = 0;
};

float number(const Node& node, std::string_view name, float fallback) {
  const auto it = node.attributes.find(name);
  if (it == node.attributes.end()) return fallback;
  const auto* v = std::get_if<float>(&it->second);
  return v ? *v : fallback;
}

bool close(float a, float b) { return std::abs(a - b) < 1e-5f; }

class Matcher {
 public:
  Matcher(const Graph& graph, const Uses& uses) : graph_(graph), uses_(uses) {}

  std::optional<Match> match(ValueId x) const {
    if (uses_.is_output[static_cast<size_t>(x)]) return std::nullopt;
    const std::vector<uint32_t>& readers = uses_.readers[static_cast<size_t>(x)];
    if (readers.size() == 1) {
      if (const auto f = single(graph_.nodes[readers[0]], x)) return Match{f->kind, f->a, f->b, readers[0]};
    }
    if (readers.size() != 2) return std::nullopt;
    for (const int first : {0, 1}) {
      if (auto m = gated(x, readers[static_cast<size_t>(first)], readers[static_cast<size_t>(1 - first)])) return m;
    }
    return std::nullopt;
  }

 private:
  std::optional<Function> single(const Node& n, ValueId x) const {
    if (n.input(0) != x) return std::nullopt;
    const bool microsoft = n.domain == "com.microsoft";
    if (microsoft && n.op_type == "Gelu") return Function{Activation::Gelu};
    if (microsoft && n.op_type == "FastGelu" && n.input(1) == kNone) return Function{Activation::GeluTanh};
    if (!n.domain.empty()) return std::nullopt;
    if (n.op_type == "Relu") return Function{Activation::Relu};
    if (n.op_type == "Sigmoid") return Function{Activation::Sigmoid};
    if (n.op_type == "Tanh") return Function{Activation::Tanh};
    if (n.op_type == "HardSwish") return Function{Activation::HardSwish};
    if (n.op_type == "LeakyRelu") return Function{Activation::LeakyRelu, number(n, "alpha", 0.01f)};
    if (n.op_type == "HardSigmoid") {
      return Function{Activation::HardSigmoid, number(n, "alpha", 0.2f), number(n, "beta", 0.5f)};
    }
    if (n.op_type == "Swish" && number(n, "alpha", 1) == 1) return Function{Activation::Silu};
    if (n.op_type == "Gelu") {
      const auto it = n.attributes.find("approximate");
      const auto* how = it == n.attributes.end() ? nullptr : std::get_if<std::string>(&it->second);
      return Function{how != nullptr && *how == "tanh" ? Activation::GeluTanh : Activation::Gelu};
    }
    if (n.op_type == "Clip") return clip(n);
    return std::nullopt;
  }

  std::optional<Function> clip(const Node& n) const {
    float bounds[] = {-INFINITY, INFINITY};
    if (n.version < 11) {
      bounds[0] = number(n, "min", bounds[0]);
      bounds[1] = number(n, "max", bounds[1]);
    } else {
      for (size_t i = 0; i < 2; ++i) {
        if (n.input(i + 1) == kNone) continue;
        const auto v = scalar_constant(graph_, n.input(i + 1));
        if (!v) return std::nullopt;
        bounds[i] = *v;
      }
    }
    // With low > high everything becomes high, which kernels need not keep to.
    if (!(bounds[0] <= bounds[1])) return std::nullopt;
    return Function{Activation::Clip, bounds[0], bounds[1]};
  }

  // The only reader of a value, when there is one.
  const Node* only_reader(ValueId id, uint32_t& index) const {
    if (!uses_.single_reader(id)) return nullptr;
    index = uses_.readers[static_cast<size_t>(id)][0];
    return &graph_.nodes[index];
  }

  // Is `n` a product, sum, … of `x` with a constant scalar? `op` other than Div may have them in any order.
  bool with_scalar(const Node& n, std::string_view op, ValueId x, float scalar) const {
    if (!n.is(op) || n.version < 7 || n.inputs.size() != 2) return false;
    const size_t other = n.inputs[0] == x ? 1 : 0;
    if (n.inputs[1 - other] != x || (op == "Div" && other == 0)) return false;
    const auto v = scalar_constant(graph_, n.inputs[other]);
    return v && close(*v, scalar) &&
           graph_.constant(n.inputs[other])->rank() <= graph_.value(x).shape.value_or(Shape()).rank();
  }
  bool sixth(const Node& n, ValueId x) const {
    return with_scalar(n, "Div", x, 6) || with_scalar(n, "Mul", x, 1.f / 6);
  }

  // x · gate(x), where node `from` starts the gate and node `product` reads x too: SiLU and the forms of HardSwish.
  std::optional<Match> gated(ValueId x, uint32_t from, uint32_t product) const {
    const Node& start = graph_.nodes[from];
    uint32_t at = from;
    const auto ends_at_product = [&](ValueId gate) {
      uint32_t index = 0;
      const Node* n = only_reader(gate, index);
      return n != nullptr && index == product && n->is("Mul") && n->version >= 7;
    };
    const auto gate = single(start, x);
    if (gate && gate->kind == Activation::Sigmoid && ends_at_product(start.outputs[0])) {
      return Match{Activation::Silu, 0, 0, product};
    }
    if (gate && gate->kind == Activation::HardSigmoid && close(gate->a, 1.f / 6) && close(gate->b, 0.5f) &&
        ends_at_product(start.outputs[0])) {
      return Match{Activation::HardSwish, 0, 0, product};
    }
    // x · clip(x + 3, 0, 6) / 6, the division before or after the product.
    if (!with_scalar(start, "Add", x, 3)) return std::nullopt;
    const Node* clipped = only_reader(start.outputs[0], at);
    if (clipped == nullptr || !clipped->is("Clip")) return std::nullopt;
    const auto bounds = clip(*clipped);
    if (!bounds || bounds->a != 0 || bounds->b != 6) return std::nullopt;
    const ValueId six = clipped->outputs[0];
    if (ends_at_product(six)) {
      const Node* scaled = only_reader(graph_.nodes[product].outputs[0], at);
      if (scaled != nullptr && sixth(*scaled, graph_.nodes[product].outputs[0]))
        return Match{Activation::HardSwish, 0, 0, at};
      return std::nullopt;
    }
    const Node* scaled = only_reader(six, at);
    if (scaled != nullptr && sixth(*scaled, six) && ends_at_product(scaled->outputs[0])) {
      return Match{Activation::HardSwish, 0, 0, product};
    }
    return std::nullopt;
  }

  const Graph& graph_;
  const Uses& uses_;
};

bool takes_activation(const Graph& graph, const Node& n) {
  if (!n.is("Conv") && !n.is("ConvTranspose") && !n.is("Gemm") && !n.is("MatMul")) return false;
  return !n.attributes.contains("nm_activation") && !n.attributes.contains("nm_residual_last") &&
         graph.value(n.outputs[0]).type.dtype == DType::Float32;
}

}  // namespace

Result<bool> fuse_activation(Graph& graph) {
  const Uses uses(graph);
  const Matcher matcher(graph, uses);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!takes_activation(graph, node)) continue;
    const auto match = matcher.match(node.outputs[0]);
    if (!match) continue;
    node.attributes["nm_activation"] = std::string(activation_name(match->kind));
    node.attributes["nm_activation_params"] = std::vector<float>{match->a, match->b};
    // The activation's own nodes now lead nowhere.
    std::swap(node.outputs[0], graph.nodes[match->last].outputs[0]);
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
