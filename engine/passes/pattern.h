// Rewrites written as text: what a piece of a graph looks like, and what takes its place.
//
//   {"Mul(Mul(x, Add(Erf(Mul(x, 0.70710678)), 1)), 0.5)", "Gelu(x)"}
//
// A pattern is a tree that ends at one value:
//   Op(a, b)      the first output of a node of ai.onnx, ms.Op(…) of com.microsoft. The node may have more inputs than
//                 are named. Those of Add and Mul may stand in any order.
//   x             any value, the same one everywhere
//   d:Op(…)       a value with a name
//   0.5           a constant of one element, as exporters round it
//   #eps          any constant of one element
//   {a|b}         one or the other
// A product with a number may be written as a division, and a sum as a subtraction. Nobody but the pattern's own nodes
// may read what is inside of it.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/graph/graph.h"

namespace nm {

// Where a pattern was found, and the nodes that are written in its place.
class Match {
 public:
  // By the names of the pattern; kNone for one that is in another branch of {a|b}.
  ValueId value(std::string_view name) const;
  float number(std::string_view name, float fallback = 0) const;
  const GraphValue& operator[](std::string_view name) const { return graph_.value(value(name)); }
  // The node that computes a named value. Valid until `constant` or `add` is called.
  const Node& node(std::string_view name) const;
  ValueId result() const;
  const Node& last() const { return graph_.nodes[last_]; }
  const Graph& graph() const { return graph_; }

  // For the replacement.
  void bind(std::string_view name, ValueId id);
  ValueId constant(std::string_view name, Tensor tensor) {
    return graph_.add_constant(std::string(name), std::move(tensor));
  }
  ValueId scalar(float value);
  ValueId integers(const std::vector<int64_t>& values);
  ValueId add(std::string_view op, std::vector<ValueId> inputs, AttributeMap attributes = {});
  AttributeMap attributes;  // of the replacement's last node

 private:
  friend class Matcher;
  friend class Rewriter;
  struct Binding {
    std::string_view name;
    ValueId id = kNone;
    float number = 0;
  };
  explicit Match(Graph& graph) : graph_(graph) {}
  Node make(std::string_view op, std::vector<ValueId> inputs) const;

  Graph& graph_;
  uint32_t last_ = 0;
  std::vector<Binding> bindings_;
  std::vector<Node> added_;
};

struct Rewrite {
  std::string_view pattern;
  std::string_view replacement;  // of operators and names
  // Looks closer, sets attributes, adds what a replacement of text cannot say. False: leave this place alone.
  bool (*refine)(Match&) = nullptr;
};

// Applies the rewrites to float32 results, each wherever it fits, one after the other. Returns whether any did.
Result<bool> apply_rewrites(Graph& graph, std::span<const Rewrite> rewrites);

}  // namespace nm
