// What small integer tensors hold while dimensions are still symbols: contents of Shape and of the arithmetic that
// exporters put behind it, and the shapes that Reshape, Expand and their like get from them.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "engine/graph/graph.h"

namespace nm {

class ShapeContents {
 public:
  // After a node's types and shapes have been inferred: what its output holds.
  void follow(const Graph& graph, const Node& node);
  // The shape of output 0 as far as it follows from contents; nullopt when they say nothing.
  std::optional<Shape> output_shape(const Graph& graph, const Node& node) const;

 private:
  // A number, or (below 0) an entry of a Shape: unknown or a symbol, which stands for a number that is not negative.
  struct Entry {
    int64_t value;
    bool is_dim;

    static Entry dim(int64_t d) { return {d, d < 0}; }
    static Entry number(int64_t v) { return {v, false}; }
    static Entry unknown() { return {kUnknownDim, true}; }
    bool is(int64_t v) const { return !is_dim && value == v; }
    bool same(const Entry& e) const {
      return is_dim == e.is_dim && value == e.value && !(is_dim && value == kUnknownDim);
    }
  };
  using Contents = std::vector<Entry>;

  // Of a scalar or a list, in order; nullopt when nothing is known.
  std::optional<Contents> contents(const Graph& graph, ValueId id) const;
  std::optional<Contents> result(const Graph& graph, const Node& node) const;
  std::optional<Contents> exact_result(const Graph& graph, const Node& node, DType type) const;

  std::optional<Contents> shape_of(const Graph& graph, const Node& node) const;
  std::optional<Contents> gather(const Graph& graph, const Node& node) const;
  std::optional<Contents> slice(const Graph& graph, const Node& node) const;
  std::optional<Contents> concat(const Graph& graph, const Node& node) const;
  std::optional<Contents> elementwise(const Graph& graph, const Node& node) const;
  std::optional<Contents> select(const Graph& graph, const Node& node) const;
  static Entry apply(const Node& node, const Entry& a, const Entry& b);

  std::optional<Shape> reshape(const Graph& graph, const Node& node, const Contents& target) const;
  static std::optional<Shape> to_shape(const Contents& contents);

  void follow_cut(const Graph& graph, const Node& node);
  std::optional<Shape> broadcast(const Graph& graph, const Node& node) const;
  int64_t broadcast(int64_t a, int64_t b) const;

  std::map<ValueId, Contents> known_;
  // Dimensions that a Slice from 0 to a symbol has: the lesser of that symbol and some number.
  std::map<int64_t, int64_t> cut_to_;
};

}  // namespace nm
