#include "engine/op/execution.h"

#include <algorithm>
#include <cstring>

#include "engine/base/text.h"
#include "engine/op/body.h"

namespace nm {

BoundBody::BoundBody(Body& body, const Execution& node) : body_(body), whole_(node.control()) {
  body.bind_captures(node);
}

Result<Tensor*> Execution::allocate(size_t i, DType dtype, const Shape& shape) const {
  NM_ASSIGN(Tensor t, Tensor::create(dtype, shape));
  *outputs_[i] = Value(std::move(t));
  return outputs_[i]->tensor();
}

Result<LastRows> Execution::lengthened(size_t o, size_t i, int axis, int64_t kept, int64_t length) const {
  LastRows last;
  if (grows(o)) {
    const Stored stored = o < stored_.size() ? stored_[o] : Stored::F32;
    NM_ASSIGN(std::shared_ptr<const Growing> grown, Growing::lengthen(*inputs_[i], axis, kept, length, stored));
    *outputs_[o] = Value(grown);
    const int64_t offset = kept * grown->strides()[axis];
    if (grown->rows().stored == Stored::F32) {
      last.at = {grown->data(), offset, grown->strides()};
      return last;
    }
    last.extent = grown->shape();
    last.extent[axis] = length - kept;
    Size count(1);
    for (const int64_t d : last.extent) count = count * d;
    NM_ASSIGN(last.at.data, scratch<float>(count));
    last.at.strides = row_major(last.extent);
    last.narrow = std::move(grown);
    last.offset = offset;
    return last;
  }
  Tensor& out = output(o);
  last.at = {out.raw(), 0, row_major(out.shape())};
  Shape extent = input_shape(i);
  extent[axis] = kept;
  copy_first(*inputs_[i], extent, last.at);
  last.at.offset = kept * last.at.strides[axis];
  return last;
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

}  // namespace nm
