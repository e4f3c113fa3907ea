#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

// CumSum and CumProd.
class Cumulate final : public Operator {
 public:
  Cumulate(Attributes& a, bool product)
      : product_(product), exclusive_(a.flag("exclusive", false)), reverse_(a.flag("reverse", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_number(inference, 0, "the input"));
    NM_TRY(check_type(inference, 1, "the axis", {DType::Int32, DType::Int64}));
    NM_TRY(check_scalar(inference, 1, "the axis"));
    output_like(inference, 0, 0);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    NM_ASSIGN(const int axis, check_axis(integer_at(execution.input(1), 0), in.rank()));
    const int64_t n = in.dim(axis);
    const int64_t inner = in.shape().count(axis + 1, in.rank());
    const int64_t lanes = in.shape().count(0, axis) * inner;
    return with_number(in.dtype(), [&]<class T>() -> Status {
      for_rows(lanes, n, [&](int64_t begin, int64_t end) {
        for (int64_t l = begin; l < end; ++l) {
          const int64_t first = l / inner * n * inner + l % inner;
          lane(in.data<T>() + first, execution.out<T>(0) + first, inner, n);
        }
      });
      return {};
    });
  }

  bool in_place(size_t i) const override { return i == 0; }

 private:
  template <class T>
  void lane(const T* x, T* y, int64_t step, int64_t n) const {
    T total{static_cast<T>(product_ ? 1 : 0)};
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = (reverse_ ? n - 1 - i : i) * step;
      const T next = product_ ? multiply(total, x[at]) : add(total, x[at]);
      y[at] = exclusive_ ? total : next;
      total = next;
    }
  }

  bool product_;
  bool exclusive_;
  bool reverse_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Cumulate, false>("CumSum", 11, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
    entry<Cumulate, true>("CumProd", 26, {.inputs = 2, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(cum_sum, kEntries)

}  // namespace nm
