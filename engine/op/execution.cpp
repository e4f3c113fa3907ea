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

Result<StridedTarget> Execution::lengthened(size_t o, size_t i, int axis, int64_t kept, int64_t length) const {
  if (grows(o)) {
    NM_ASSIGN(std::shared_ptr<const Growing> grown, Growing::lengthen(*inputs_[i], axis, kept, length));
    const StridedTarget to{grown->data(), 0, grown->strides()};
    *outputs_[o] = Value(std::move(grown));
    return to;
  }
  const StridedTensor from = strided_input(i);
  Tensor& out = output(o);
  const StridedTarget to{out.raw(), 0, row_major(out.shape())};
  Shape extent = from.shape;
  extent[axis] = kept;
  copy_strided(from.dtype, extent, from.at, to);
  return to;
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
