// Operators that are nothing but others put together: instead of a class they have a function that writes the nodes
// which take a call's place. They are replaced while types are inferred, so passes see only what they are made of.
//
//   void q_linear_sigmoid(Composition& composition) {
//     const ValueId y = composition.add("Sigmoid", {composition.dequantized(0, 1, 2)});
//     composition.finish("QuantizeLinear", {y, composition.input(3), composition.input(4)});
//   }
//   … composition_in(kMicrosoftDomain, "QLinearSigmoid", 1, {.inputs = 5, .outputs = 1}, q_linear_sigmoid), …
#pragma once
#include <vector>

#include "engine/op/registry.h"
#include "engine/op/signature.h"

namespace nm {

class Composition {
 public:
  using Inputs = std::vector<ValueId>;
  static constexpr int kOperatorSet = 21;  // of the standard operators that are written

  Composition(Graph& graph, const Node& call) : graph_(graph), call_(call), attributes_(call) {}

  Attributes& attributes() { return attributes_; }
  bool has(size_t i) const { return input(i) != kNone; }
  ValueId input(size_t i) const { return call_.input(i); }
  size_t input_count() const { return call_.inputs.size(); }
  bool wants(size_t o) const { return output(o) != kNone; }
  ValueId output(size_t o) const { return o < call_.outputs.size() ? call_.outputs[o] : kNone; }
  // Nothing when the rank of the call's input is not known.
  const Shape* shape(size_t i) const;
  // The call is refused when one of the inputs before `count` is missing.
  void require(size_t count);

  // A node; its output. A domain makes it version 1 of that.
  ValueId add(std::string_view op, Inputs inputs, AttributeMap attributes = {}, std::string_view domain = "");
  // A node whose output is the call's.
  void finish(std::string_view op, Inputs inputs, AttributeMap attributes = {}, std::string_view domain = "");
  // A node with several outputs.
  void write(std::string_view op, Inputs inputs, std::vector<ValueId> outputs, AttributeMap attributes = {},
             std::string_view domain = "");
  ValueId value();  // a name for a node's output

  ValueId number(float value);                           // a constant scalar
  ValueId integers(const std::vector<int64_t>& values);  // a constant vector
  // Input x as float32, with one scale for all and perhaps a zero point.
  ValueId dequantized(size_t x, size_t scale, size_t zero);
  // Input `zero`, or else a 0 of the type of input x, so that what is quantised with it has that type.
  ValueId zero_point(size_t zero, size_t x);

  // The nodes that were written, or what was wrong with the call.
  Result<std::vector<Node>> take();

 private:
  Graph& graph_;
  const Node& call_;
  Attributes attributes_;
  Status missing_;
  std::vector<Node> nodes_;
};

// The entry's composition for this node, or nullptr.
using Compose = void (*)(Composition&);
Compose composition_of(const Node& node);

}  // namespace nm
