#include "engine/ops/control/stack.h"

#include <algorithm>

#include "engine/op/check.h"
#include "engine/tensor/strided.h"

namespace nm {

Status collect(const Execution& execution, std::vector<Value>& items, Value item) {
  const uint64_t limit = execution.control().limits.text_bytes;
  if (items.size() >= limit / sizeof(Value)) {
    return limit_exceeded("textBytes", limit,
                          text("a loop collects ", items.size() + 1, " values of ", sizeof(Value), " bytes"));
  }
  return append(items, std::move(item), "a loop's results");
}

Status stack_output(const Execution& execution, size_t o, const std::vector<Value>& items, int64_t axis, bool reverse) {
  const Tensor* first = items[0].tensor();
  if (first == nullptr) return {Code::TypeMismatch, "only tensors can be collected over the iterations"};
  if (first->rank() == kMaxRank) return wrong_shape("the collected output", first->shape(), "fewer dimensions");
  NM_ASSIGN(const int at, check_axis(axis, first->rank() + 1));
  const auto n = static_cast<int64_t>(items.size());
  Shape shape = first->shape();
  shape.insert(at, n);
  NM_ASSIGN(Tensor * out, execution.allocate(o, first->dtype(), shape));
  Strides to = row_major(shape);
  const int64_t step = to[at];
  std::copy(to.begin() + at + 1, to.end(), to.begin() + at);
  for (int64_t i = 0; i < n; ++i) {
    const Tensor* t = items[static_cast<size_t>(i)].tensor();
    if (t == nullptr || t->dtype() != first->dtype() || t->shape() != first->shape()) {
      return {Code::ShapeMismatch, text("iteration ", i, " yields ", t ? describe(t->dtype(), t->shape()) : "no tensor",
                                        " where the first one yielded ", describe(first->dtype(), first->shape()))};
    }
    copy_strided(t->dtype(), t->shape(), {t->raw(), 0, row_major(t->shape())},
                 {out->raw(), (reverse ? n - 1 - i : i) * step, to});
  }
  return {};
}

Status empty_output(const Execution& execution, size_t o, DType dtype, const std::optional<Shape>& item) {
  Shape shape{0};
  if (item) {
    for (int i = 0; i < std::min(item->rank(), kMaxRank - 1); ++i) shape.push_back(std::max<int64_t>((*item)[i], 0));
  }
  return execution.allocate(o, dtype, shape).take_status();
}

}  // namespace nm
