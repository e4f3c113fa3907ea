#include "engine/ops/operator.h"

#include <algorithm>
#include <cstring>

#include "engine/base/memory.h"
#include "engine/tensor/integers.h"

namespace nm {

std::optional<std::vector<int64_t>> Inference::integers(size_t i) const {
  const Tensor* t = value(i);
  if (t == nullptr || !room_for("a list of integers", Size(t->count()) * sizeof(int64_t)).ok()) return std::nullopt;
  return nm::integers(*t);
}

Result<uint8_t*> Scratch::get(Size bytes) {
  NM_TRY(check_memory());
  if (used_ == blocks_.size() || Size(blocks_[used_].size) < bytes) {
    if (used_ < blocks_.size()) blocks_[used_] = {};  // the old block goes before the larger one comes
    Buffer buffer(bytes);
    if (!buffer.ok()) {
      blocks_.resize(used_);
      return no_memory("working space", bytes);
    }
    const size_t size = buffer.size();
    uint8_t* data = buffer.data();
    Block block{std::move(buffer).share(), data, size};
    if (used_ == blocks_.size()) {
      blocks_.push_back(std::move(block));
    } else {
      blocks_[used_] = std::move(block);
    }
  }
  return blocks_[used_++].data;
}

size_t Scratch::bytes() const {
  size_t bytes = 0;
  for (const Block& block : blocks_) bytes += block.size;
  return bytes;
}

namespace {

// Are all shapes of the inputs numbers? Then so are those of the outputs, or they depend on data.
bool inputs_known(const Inference& c) {
  for (size_t i = 0; i < c.input_count(); ++i) {
    if (c.has(i) && !(c.has_shape(i) && c.shape(i).known())) return false;
  }
  return true;
}

}  // namespace

Status Operator::infer_outputs(Inference& c) const {
  NM_TRY(check_memory());
  NM_TRY(infer(c));
  NM_TRY(check_memory());  // lists that had no room count as unknown
  const bool known = inputs_known(c);
  for (size_t o = 0; o < c.output_count(); ++o) {
    const Inference::Output& out = c.output_slot(o);
    if (!out.shape) continue;
    NM_TRY(check_addressable(text("output ", o, ","), out.type.is_tensor() ? out.type.dtype : DType::Undefined,
                             *out.shape));
    for (const int64_t d : *out.shape) {
      // Symbols are negative too, but there are none left; -1 is a dimension that depends on data.
      if (known && d < kUnknownDim) {
        return {Code::ShapeMismatch, text("output ", o, " would have a dimension of ", d, "; its inputs do not fit")};
      }
    }
  }
  return {};
}

BoundBody::BoundBody(Body& body, const Execution& node) : body_(body), whole_(node.control()) {
  body.bind_captures(node);
}

Result<Tensor*> Execution::allocate(size_t i, DType dtype, const Shape& shape) const {
  NM_ASSIGN(Tensor t, Tensor::create(dtype, shape));
  *outputs_[i] = Value(std::move(t));
  return outputs_[i]->tensor();
}

Status Execution::set_output(size_t i, Value value) const {
  Tensor* bound = outputs_[i]->tensor();
  if (bound == nullptr) {
    *outputs_[i] = std::move(value);
    return {};
  }
  const Tensor* t = value.tensor();
  if (t == nullptr || t->dtype() != bound->dtype() || !(t->shape() == bound->shape())) {
    return {Code::ShapeMismatch, text("an output turned out to be ", t ? describe(t->dtype(), t->shape()) : "no tensor",
                                      " where the model declares ", describe(bound->dtype(), bound->shape()))};
  }
  if (t->dtype() == DType::String) {
    std::copy_n(t->data<std::string>(), t->count(), bound->data<std::string>());
  } else if (t->bytes() > 0) {
    std::memcpy(bound->raw(), t->raw(), t->bytes());
  }
  return {};
}

const OperatorEntry* Registry::find(std::string_view domain, std::string_view name, int version) const {
  for (const OperatorEntry& e : entries_) {
    if (e.name == name && e.domain == domain && e.since <= version && version <= e.until) return &e;
  }
  return nullptr;
}

Result<OperatorPtr> create_operator(const Node& node) {
  const OperatorEntry* entry = Registry::instance().find(node.domain, node.op_type, node.version);
  if (entry == nullptr || entry->make == nullptr) {
    return Status(Code::UnsupportedOperator, text("the operator ", node.domain.empty() ? "" : node.domain + ".",
                                                  node.op_type, " (version ", node.version, ") is not supported"))
        .at(node.op_type, node.name);
  }
  Attributes attributes(node);
  OperatorPtr op = entry->make(attributes);
  if (Status s = attributes.take_status(); !s.ok()) return std::move(s).at(node.op_type, node.name);
  return op;
}

Status wrong_type(std::string_view what, DType actual, std::string_view expected) {
  return Status(Code::TypeMismatch, text(what, " has type ", dtype_name(actual), "; expected ", expected))
      .about(what, std::string(expected), std::string(dtype_name(actual)));
}

Status wrong_shape(std::string_view what, const Shape& actual, std::string_view expected) {
  return Status(Code::ShapeMismatch, text(what, " has shape ", to_string(actual), "; expected ", expected))
      .about(what, std::string(expected), to_string(actual));
}

}  // namespace nm
