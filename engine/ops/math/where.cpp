#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"
#include "engine/tensor/element.h"

namespace nm {
namespace {

class Where final : public Movement {
 public:
  explicit Where(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_type(inference, 0, "the condition", {DType::Bool}));
    NM_ASSIGN(const DType type, common_type(inference, 1, 3));
    if (is_packed(type)) return wrong_type("input 1", type, "a type of whole bytes");
    inference.output(0, type);
    if (!inference.has_shape(0) || !inference.has_shape(1) || !inference.has_shape(2)) return {};
    NM_ASSIGN(const Shape values, broadcast_or_fail(inference.shape(1), inference.shape(2)));
    NM_ASSIGN(const Shape out, broadcast_or_fail(inference.shape(0), values));
    inference.output(0, type, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(1);
    const Tensor& y = execution.input(2);
    Tensor& out = execution.output(0);
    const bool* condition = execution.data<bool>(0);
    const Broadcast b(out.shape(), {&execution.input(0).shape(), &x.shape(), &y.shape()});
    with_element(out.dtype(), [&]<class T>() {
      const T* px = static_cast<const T*>(x.raw());
      const T* py = static_cast<const T*>(y.raw());
      T* to = static_cast<T*>(out.raw());
      for_elements(b.count(), [&](int64_t begin, int64_t end) {
        b.walk(begin, end, [&](const Broadcast::Run& r) {
          for (int64_t i = 0; i < r.count; ++i) {
            const T* source =
                condition[r.in[0] + i * b.step(0)] ? px + r.in[1] + i * b.step(1) : py + r.in[2] + i * b.step(2);
            to[r.out + i] = *source;
          }
        });
      });
    });
    return {};
  }

  bool in_place(size_t i) const override { return i == 1 || i == 2; }
};

std::optional<DimList> where_contents(const ShapeQuery& q) {
  const auto condition = q.input(0), yes = q.input(1), no = q.input(2);
  if (!condition || !yes || !no) return std::nullopt;
  const size_t n = std::max({condition->size(), yes->size(), no->size()});
  for (const auto* part : {&*condition, &*yes, &*no}) {
    if (part->size() != n && part->size() != 1) return std::nullopt;
  }
  const auto at = [](const DimList& c, size_t i) { return c[c.size() == 1 ? 0 : i]; };
  DimList out;
  for (size_t i = 0; i < n; ++i) {
    const DimEntry e = at(*condition, i), y = at(*yes, i), x = at(*no, i);
    out.push_back(e.is_dim ? (y.same(x) ? y : DimEntry::unknown()) : e.value != 0 ? y : x);
  }
  return out;
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Where>("Where", 9, {.inputs = 3, .outputs = 1, .layout = layout::elementwise, .contents = where_contents}),
};

NM_OPERATORS(where, kEntries)

}  // namespace nm
