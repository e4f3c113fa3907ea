// IsNaN and IsInf, by the bits of the number.
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/small_float.h"

namespace nm {
namespace {

// The size of |x| beside that of infinity decides, and the sign which infinity it is.
struct Layout {
  uint64_t infinity = 0;
  uint64_t sign = 0;
};

Layout layout_of(DType t) {
  switch (t) {
    case DType::Float64:
      return {0x7ffull << 52, 1ull << 63};
    case DType::Float16:
      return {0x7c00, 0x8000};
    case DType::BFloat16:
      return {0x7f80, 0x8000};
    default:
      return {0x7f800000, 0x80000000};
  }
}

class IsSpecial final : public Movement {
 public:
  IsSpecial(Attributes& a, bool nan) : nan_(nan) {
    if (nan) return;
    positive_ = a.flag("detect_positive", true);
    negative_ = a.flag("detect_negative", true);
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    const DType t = inference.type(0);
    if (t != DType::Undefined && !is_float(t) && !(is_small_float(t) && dtype_bits(t) == 8)) {
      return wrong_type("the input", t, "floats");
    }
    inference.output(0, DType::Bool);
    if (inference.has_shape(0)) inference.output(0, DType::Bool, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    bool* out = execution.out<bool>(0);
    const Layout layout = layout_of(in.dtype());
    for_elements(in.count(), [&](int64_t begin, int64_t end) {
      switch (dtype_bits(in.dtype())) {
        case 8:
          for (int64_t i = begin; i < end; ++i) {
            const float x = small_to_float(in.dtype(), static_cast<const uint8_t*>(in.raw())[i]);
            out[i] = test(std::bit_cast<uint32_t>(x), layout_of(DType::Float32));
          }
          return;
        case 16:
          return test_all<uint16_t>(in, begin, end, layout, out);
        case 32:
          return test_all<uint32_t>(in, begin, end, layout, out);
        default:
          return test_all<uint64_t>(in, begin, end, layout, out);
      }
    });
    return {};
  }

 private:
  bool test(uint64_t bits, const Layout& layout) const {
    const uint64_t magnitude = bits & (layout.sign - 1);
    if (nan_) return magnitude > layout.infinity;
    return magnitude == layout.infinity && (bits & layout.sign ? negative_ : positive_);
  }
  template <class Bits>
  void test_all(const Tensor& in, int64_t begin, int64_t end, const Layout& layout, bool* out) const {
    const auto* x = static_cast<const Bits*>(in.raw());
    for (int64_t i = begin; i < end; ++i) out[i] = test(x[i], layout);
  }

  bool nan_;
  bool positive_ = true;
  bool negative_ = true;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<IsSpecial, true>("IsNaN", 9, {.inputs = 1, .outputs = 1, .layout = layout::elementwise}),
    entry<IsSpecial, false>("IsInf", 10, {.inputs = 1, .outputs = 1, .layout = layout::elementwise}),
};

NM_OPERATORS(is_nan, kEntries)

}  // namespace nm
