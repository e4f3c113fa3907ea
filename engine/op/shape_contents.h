// What small integer tensors hold while dimensions are still symbols: contents of Shape and of the arithmetic that
// exporters put behind it, and the shapes that Reshape, Expand and their like get from them. Each operator states its
// part in its registry entry, as functions over a ShapeQuery.
#pragma once
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"

namespace nm {

// An element: a number, or (below 0) an entry of a Shape: unknown or a symbol, which stands for a number that is not
// negative.
struct DimEntry {
  int64_t value;
  bool is_dim;

  static DimEntry dim(int64_t d) { return {d, d < 0}; }
  static DimEntry number(int64_t v) { return {v, false}; }
  static DimEntry unknown() { return {kUnknownDim, true}; }
  bool is(int64_t v) const { return !is_dim && value == v; }
  bool same(const DimEntry& e) const {
    return is_dim == e.is_dim && value == e.value && !(is_dim && value == kUnknownDim);
  }
};
// A scalar's or a list's elements, in order.
using DimList = std::vector<DimEntry>;

inline constexpr size_t kMostDimEntries = 64;  // shapes are shorter

class ShapeContents;

// One node, whose inputs' types and shapes are known as far as they can be.
class ShapeQuery {
 public:
  ShapeQuery(ShapeContents& known, const Graph& g, const Node& n) : graph(g), node(n), known_(known) {}

  const Graph& graph;
  const Node& node;

  // What an input holds; nullopt when nothing is known.
  std::optional<DimList> input(size_t i) const;
  // The same when it is one element.
  std::optional<DimEntry> element(size_t i) const;
  const std::optional<Shape>& shape(size_t i) const { return graph.value(node.inputs[i]).shape; }
  const GraphValue& output() const { return graph.value(node.outputs[0]); }
  int64_t integer(std::string_view attribute, int64_t fallback) const;

  // Dimension `part` of the output is the lesser of `whole`, a symbol, and some number.
  void cut(int64_t part, int64_t whole) const;
  // The dimension that comes of broadcasting two.
  int64_t broadcast(int64_t a, int64_t b) const;
  // Has anything been cut?
  bool has_cuts() const;
  // a + b and a - b, numbers or dimensions, as a dimension or a number.
  DimEntry sum(const DimEntry& a, const DimEntry& b) const;
  DimEntry difference(const DimEntry& a, const DimEntry& b) const;

 private:
  ShapeContents& known_;
};

// What output 0 holds; nullopt when nothing is known.
using ContentsRule = std::optional<DimList> (*)(const ShapeQuery&);
// The shape of output 0 as far as it follows from contents; nullopt when they say nothing.
using ShapeRule = std::optional<Shape> (*)(const ShapeQuery&);

// Rules that several operators share.
namespace contents {

// The output holds what input 0 does.
std::optional<DimList> same(const ShapeQuery& q);
// Two inputs, element by element.
using EntryRule = DimEntry (*)(const ShapeQuery&, const DimEntry&, const DimEntry&);
std::optional<DimList> elementwise(const ShapeQuery& q, EntryRule f);
template <EntryRule f>
std::optional<DimList> elementwise(const ShapeQuery& q) {
  return elementwise(q, f);
}
// Two numbers whose result is a size; unknown where either is none.
template <class F>
DimEntry of_sizes(const DimEntry& a, const DimEntry& b, F f) {
  constexpr int64_t kLimit = int64_t{1} << 31;
  const auto is_size = [](const DimEntry& e) { return !e.is_dim && e.value > -kLimit && e.value < kLimit; };
  return is_size(a) && is_size(b) ? DimEntry::number(f(a.value, b.value)) : DimEntry::unknown();
}

// A Shape of these entries; nullopt when one is negative or there are too many.
std::optional<Shape> to_shape(const DimList& list);

}  // namespace contents

class ShapeContents {
 public:
  // After a node's types and shapes have been inferred: notes what its output holds.
  void follow(const Graph& graph, const Node& node);
  // What its operator's ShapeRule says.
  std::optional<Shape> output_shape(const Graph& graph, const Node& node);

  std::optional<DimList> contents(const Graph& graph, ValueId id) const;

 private:
  friend class ShapeQuery;
  std::map<ValueId, DimList> known_;
  // Dimensions that a Slice from 0 to a symbol has: the lesser of that symbol and some number.
  std::map<int64_t, int64_t> cut_to_;
};

}  // namespace nm
