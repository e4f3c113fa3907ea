#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/tensor/value.h"

namespace nm {

// What is known about a node's inputs, and where its outputs' types and shapes are said. Used when a model is
// loaded (dims may be unknown), when it is planned for given input shapes, and, for values whose shape depends on
// data, while it runs. Whatever `infer` leaves unsaid is unknown.
class Inference {
 public:
  struct Input {
    ValueType type;
    std::optional<Shape> shape;
    const Tensor* value = nullptr;
    bool present = false;
  };
  struct Output {
    ValueType type;
    std::optional<Shape> shape;
    Tensor value;  // when inference alone knows the contents
    bool wanted = false;
  };

  Inference(size_t inputs, size_t outputs) : inputs_(inputs), outputs_(outputs) {}
  // What the graph knows of the node's inputs; all outputs that the node names are wanted.
  Inference(const Graph& graph, const Node& node);

  size_t input_count() const { return inputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].present; }
  DType type(size_t i) const { return has(i) ? inputs_[i].type.dtype : DType::Undefined; }
  const ValueType& value_type(size_t i) const { return inputs_[i].type; }
  // False when not even the rank is known.
  bool has_shape(size_t i) const { return has(i) && inputs_[i].shape.has_value(); }
  const Shape& shape(size_t i) const { return *inputs_[i].shape; }
  // The contents, when they are known already (constants, shape arithmetic; everything while running).
  const Tensor* value(size_t i) const { return has(i) ? inputs_[i].value : nullptr; }
  // The contents as integers, when they are known and are integers: of another type there are none.
  std::optional<std::vector<int64_t>> integers(size_t i) const;

  size_t output_count() const { return outputs_.size(); }
  bool wants(size_t i) const { return i < outputs_.size() && outputs_[i].wanted; }
  void output(size_t i, DType type, const Shape& shape) {
    output(i, type);
    if (i < outputs_.size()) outputs_[i].shape = shape;
  }
  // Type known, shape not.
  void output(size_t i, DType type) { output(i, ValueType::tensor(type)); }
  void output(size_t i, ValueType type) {
    if (i < outputs_.size()) outputs_[i].type = std::move(type);
  }
  // The contents follow from shapes alone (Shape, Size): small tensors only.
  void output_value(size_t i, Tensor value) {
    output(i, value.dtype(), value.shape());
    if (i < outputs_.size()) outputs_[i].value = std::move(value);
  }

  Input& input_slot(size_t i) { return inputs_[i]; }
  Output& output_slot(size_t i) { return outputs_[i]; }

 private:
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

}  // namespace nm
