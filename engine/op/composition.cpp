#include "engine/op/composition.h"

namespace nm {

const Shape* Composition::shape(size_t i) const {
  if (!has(i)) return nullptr;
  const GraphValue& v = graph_.value(input(i));
  return v.shape ? &*v.shape : nullptr;
}

void Composition::require(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (has(i) || !missing_.ok()) continue;
    missing_ = Status(Code::MissingInput, text("input ", i, " is missing; the operator needs it"));
  }
}

ValueId Composition::value() {
  GraphValue v;
  v.name = call_.name;
  return graph_.add_value(std::move(v));
}

ValueId Composition::add(std::string_view op, Inputs inputs, AttributeMap attributes, std::string_view domain) {
  const ValueId out = value();
  write(op, std::move(inputs), {out}, std::move(attributes), domain);
  return out;
}

void Composition::finish(std::string_view op, Inputs inputs, AttributeMap attributes, std::string_view domain) {
  write(op, std::move(inputs), {output(0)}, std::move(attributes), domain);
}

void Composition::write(std::string_view op, Inputs inputs, std::vector<ValueId> outputs, AttributeMap attributes,
                        std::string_view domain) {
  Node n;
  n.name = text(call_.name, " (", call_.op_type, ")");
  n.op_type = op;
  n.domain = domain;
  n.version = domain.empty() ? kOperatorSet : 1;
  n.explicit_inputs = inputs.size();
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  n.attributes = std::move(attributes);
  nodes_.push_back(std::move(n));
}

ValueId Composition::number(float value) {
  auto t = Tensor::create(DType::Float32, Shape{});
  if (!t.ok()) return kNone;  // what reads it will miss it
  *t->data<float>() = value;
  return graph_.add_constant(call_.name, std::move(*t));
}

ValueId Composition::integers(const std::vector<int64_t>& values) {
  auto t = Tensor::create(DType::Int64, Shape{static_cast<int64_t>(values.size())});
  if (!t.ok()) return kNone;
  std::copy(values.begin(), values.end(), t->data<int64_t>());
  return graph_.add_constant(call_.name, std::move(*t));
}

ValueId Composition::dequantized(size_t x, size_t scale, size_t zero) {
  return add("DequantizeLinear", {input(x), input(scale), input(zero)});
}

ValueId Composition::zero_point(size_t zero, size_t x) {
  return has(zero) ? input(zero) : add("CastLike", {number(0), input(x)});
}

Result<std::vector<Node>> Composition::take() {
  NM_TRY(attributes_.take_status());
  if (!missing_.ok()) return std::move(missing_);
  if (const auto name = attributes_.unread(); !name.empty()) return unread_attribute(call_, name);
  return std::move(nodes_);
}

Compose composition_of(const Node& node) {
  const OperatorEntry* entry = Registry::instance().find(node);
  return entry != nullptr ? entry->compose : nullptr;
}

}  // namespace nm
