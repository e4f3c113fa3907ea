// How an operator sees the layout of images. ONNX keeps the channels of an image in dimension 1, most kernels want them
// last, so a pass (passes/channels_last.cpp) gives values up to two forms, and asks each operator, by the `layout` that
// its registry entry states, to work on the channels-last forms of its inputs.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"

namespace nm {

// One node that is asked. A `layout` function either ends in one of the push functions, with the node changed to
// compute the same from channels-last forms, and returns true; or it leaves the node as it is and returns false.
class LayoutChange {
 public:
  using Axes = std::vector<int64_t>;

  LayoutChange(Graph& graph, Node& node) : graph(graph), node(node) {}
  virtual ~LayoutChange() = default;

  Graph& graph;
  Node& node;

  // -1: not known.
  int rank(ValueId id) const;
  // All outputs that the node names have this rank.
  bool outputs_have_rank(int r) const;
  // A tensor of one element takes part in any layout.
  bool is_single(ValueId id) const;
  // Where axis `axis` of the file's form lies in the channels-last form, and the axes of a Transpose back.
  static int64_t in_last(int64_t axis, int rank) { return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1; }
  static Axes to_first(int rank);

  // Only the channels-last form of the value is there.
  virtual bool only_last(ValueId id) = 0;
  // Does working on the channels-last forms of these values save more than it costs?
  virtual bool worthwhile(const std::vector<ValueId>& images) = 0;
  // The value's form of the file, or its channels-last form, computed now if need be.
  virtual ValueId first(ValueId id) = 0;
  virtual ValueId last(ValueId id) = 0;
  // Inputs from `i` on have no layout: their forms of the file.
  void first_from(size_t i);

  // The node computes the channels-last forms of its outputs. True.
  virtual bool push_last() = 0;
  // The node computes what it did. True.
  virtual bool push_first() = 0;
  // Another node, behind those pushed so far.
  virtual void push(Node n) = 0;

  // A constant vector; kNone when there is no memory.
  virtual ValueId add_integers(const Axes& values, std::string name) = 0;
  // A constant with dimensions of 1 in front, for broadcasting by axes.
  virtual ValueId with_rank(ValueId constant, int r) = 0;
  // The contents of a constant vector.
  std::optional<Axes> integers(ValueId id) const;

  // The node's `axis` attribute in the channels-last form; false when there is none that fits.
  bool move_axis(int r, int64_t fallback);
  // Axes given as an attribute or as input `input`, made non-negative. nullopt: not known, or not sensible.
  std::optional<Axes> axes(size_t input, int r, const Axes& fallback) const;
  // Writes them where the node's version has them; false when there is no memory.
  bool set_axes(size_t input, bool as_input, const Axes& axes);

  // Reductions: does `keepdims` keep the rank?
  bool keeps_dims() const;
  // Reductions that drop dimensions give the same in either form when channels go, or all of the pixels.
  bool order_survives(int r, const Axes& axes) const;
  bool push_reduced() { return keeps_dims() ? push_last() : push_first(); }
};

using LayoutRule = bool (*)(LayoutChange&);

// What entries state. An operator with needs of its own states a function from its own file.
namespace layout {

// Wants the form of the file: where channels lie matters to it, or it has nothing to do with images.
bool opaque(LayoutChange&);
// Each output element depends on the input elements in its place, inputs being broadcast by ONNX's rule.
bool elementwise(LayoutChange&);
// A convolution or a pool: has both forms (see kChannelsLast), and wants channels last.
bool image(LayoutChange&);
// The same, with input 3 another image that is added to the result.
bool image_and_residual(LayoutChange&);
// Is the rule one of these two?
bool wants_channels_last(LayoutRule rule);
// Has both forms, and takes what it is given.
bool image_when_given(LayoutChange&);
// Input 0 is an image with the attribute `axis` in it; other inputs have no layout.
bool along_axis(LayoutChange&, int64_t fallback);
template <int64_t fallback, int since = 1>
bool along_axis(LayoutChange& change) {
  return change.node.version >= since && along_axis(change, fallback);
}

}  // namespace layout

// Set by the layout pass: the node's images are [batch, spatial…, channels].
inline constexpr std::string_view kChannelsLast = "nm_channels_last";

}  // namespace nm
