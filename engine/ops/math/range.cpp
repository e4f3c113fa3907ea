#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

class Range final : public Operator {
 public:
  explicit Range(Attributes& a) {
    if (a.version() >= 27) a.ignore({"stash_type"});  // computed as exactly as the type allows
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_ASSIGN(const DType type, common_type(inference, 0, 3));
    NM_TRY(check_number(inference, 0, "the start"));
    for (size_t i = 0; i < 3; ++i) NM_TRY(check_scalar(inference, i, "a bound of the range"));
    inference.output(0, type, Shape{kUnknownDim});
    if (inference.value(0) == nullptr || inference.value(1) == nullptr || inference.value(2) == nullptr) return {};
    int64_t count = 0;
    const auto infer_count = [&]<class T>() {
      return count_of(*inference.value(0)->data<T>(), *inference.value(1)->data<T>(), *inference.value(2)->data<T>(),
                      count);
    };
    if (type == DType::Float16) {
      NM_TRY(infer_count.template operator()<float16>());
    } else if (type == DType::BFloat16) {
      NM_TRY(infer_count.template operator()<bfloat16>());
    } else {
      NM_TRY(with_number(type, infer_count));
    }
    inference.output(0, type, Shape{count});
    return {};
  }

  Status run(Execution& execution) override {
    Tensor& out = execution.output(0);
    return with_number(out.dtype(), [&]<class T>() -> Status {
      const T start = *execution.data<T>(0);
      const T delta = *execution.data<T>(2);
      T* to = out.data<T>();
      for (int64_t i = 0; i < out.count(); ++i) to[i] = add(start, multiply(static_cast<T>(i), delta));
      return {};
    });
  }

 private:
  template <class T>
  static Status count_of(T start, T limit, T delta, int64_t& count) {
    if (delta == T{}) return {Code::InvalidData, "the step of the range is 0; it must be another number"};
    double n = 0;
    if constexpr (std::is_integral_v<T>) {
      const bool up = delta > 0;
      if (up ? limit <= start : limit >= start) return {};
      // Distances of 64-bit numbers need all the bits there are.
      const uint64_t distance = up ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start)
                                   : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
      const uint64_t step = up ? static_cast<uint64_t>(delta) : uint64_t{0} - static_cast<uint64_t>(delta);
      const uint64_t whole = (distance - 1) / step + 1;
      n = static_cast<double>(whole);
      count = static_cast<int64_t>(whole);
    } else {
      n = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
      if (n <= 0) return {};
      if (n < 0x1p62) count = static_cast<int64_t>(n);
    }
    if (n < 0x1p62) return {};
    return {Code::InvalidData, "the range has too many elements, or a bound that is no number"};
  }
};

std::optional<Shape> range_shape(const ShapeQuery& q) {
  const auto start = q.element(0), end = q.element(1), step = q.element(2);
  if (!start || !end || !step || !start->is(0) || !step->is(1)) return std::nullopt;
  return contents::to_shape({*end});
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<Range>("Range", 11, {.inputs = 3, .outputs = 1, .layout = layout::opaque, .shape = range_shape}),
};

NM_OPERATORS(range, kEntries)

}  // namespace nm
