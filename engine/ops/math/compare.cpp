// Comparisons, logic and bits: two inputs that broadcast. Before operator set 7 the second is aligned at an axis.
#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

enum class Function : uint8_t {
  Equal,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  And,
  Or,
  Xor,
  BitAnd,
  BitOr,
  BitXor,
  ShiftLeft,
  ShiftRight,
  ShiftRightSigned,
};

bool compares(Function f) { return f <= Function::GreaterOrEqual; }
bool is_logic(Function f) { return f >= Function::And && f <= Function::Xor; }

// What is done with `count` pairs of elements; each step is 0 or 1. One function for each operator and type, and the
// walk once for all: with the walk in each of them this file was three times as large.
using Loop = void (*)(const void* x, int64_t x_step, const void* y, int64_t y_step, void* out, int64_t count);

struct PairKernel {
  Loop loop;
  size_t in_size, out_size;  // of an element
};

template <class T, class R, class F>
PairKernel kernel(F) {
  const Loop loop = [](const void* x, int64_t x_step, const void* y, int64_t y_step, void* out, int64_t count) {
    const T* px = static_cast<const T*>(x);
    const T* py = static_cast<const T*>(y);
    R* to = static_cast<R*>(out);
    for (; count > 0; --count, px += x_step, py += y_step) *to++ = F{}(*px, *py);
  };
  return {loop, sizeof(T), sizeof(R)};
}

template <class T>
PairKernel comparison(Function f) {
  switch (f) {
    case Function::Less:
    case Function::Greater:  // of operands that have changed places
      return kernel<T, bool>([](const T& a, const T& b) { return a < b; });
    case Function::LessOrEqual:
    case Function::GreaterOrEqual:
      return kernel<T, bool>([](const T& a, const T& b) { return a <= b; });
    default:
      return kernel<T, bool>([](const T& a, const T& b) { return a == b; });
  }
}

template <class T>
PairKernel combination(Function f) {
  static constexpr T kBits = static_cast<T>(8 * sizeof(T));
  switch (f) {
    case Function::And:
    case Function::BitAnd:
      return kernel<T, T>([](T a, T b) { return static_cast<T>(a & b); });
    case Function::Or:
    case Function::BitOr:
      return kernel<T, T>([](T a, T b) { return static_cast<T>(a | b); });
    case Function::ShiftLeft:
      return kernel<T, T>([](T a, T b) { return b < kBits ? static_cast<T>(a << b) : T{0}; });
    case Function::ShiftRight:
      return kernel<T, T>([](T a, T b) { return b < kBits ? static_cast<T>(a >> b) : T{0}; });
    case Function::ShiftRightSigned:  // negative distances are, read as unsigned, beyond all bits
      return kernel<T, T>([](T a, T b) {
        return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> (b < kBits ? b : kBits - 1));
      });
    default:
      return kernel<T, T>([](T a, T b) { return static_cast<T>(a ^ b); });
  }
}

bool is_signed_integer(DType t) {
  return t == DType::Int8 || t == DType::Int16 || t == DType::Int32 || t == DType::Int64;
}

Result<PairKernel> kernel_for(Function f, DType type) {
  if (!compares(f)) {
    if (f == Function::ShiftRight && is_signed_integer(type)) f = Function::ShiftRightSigned;
    switch (dtype_bits(type)) {
      case 8:
        return combination<uint8_t>(f);
      case 16:
        return combination<uint16_t>(f);
      case 32:
        return combination<uint32_t>(f);
      default:
        return combination<uint64_t>(f);
    }
  }
  switch (type) {
    case DType::String:
      return comparison<std::string>(f);
    case DType::Bool:
      return comparison<uint8_t>(f);
    case DType::Float16:
      return comparison<float16>(f);
    case DType::BFloat16:
      return comparison<bfloat16>(f);
    default: {
      PairKernel k{};
      NM_TRY(with_number(type, [&]<class T>() -> Status {
        k = comparison<T>(f);
        return {};
      }));
      return k;
    }
  }
}

class Compare final : public Movement {
 public:
  Compare(Attributes& a, Function f) : f_(f), aligned_(a.version() < 7 && a.has("axis")), axis_(a.integer("axis", 0)) {
    if (a.version() < 7) a.ignore({"broadcast"});  // shapes say whether it is needed
    if (f != Function::ShiftLeft) return;
    a.require("direction");
    const std::string direction = a.string("direction", "");
    if (direction == "RIGHT") {
      f_ = Function::ShiftRight;
    } else if (direction != "LEFT") {
      a.fail(text("the attribute 'direction' is '", direction, "'; expected LEFT or RIGHT"));
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_ASSIGN(const DType type, common_type(inference, 0, 2));
    if (type != DType::Undefined && !allowed(type)) return wrong_type("input 0", type, expected());
    const DType result = compares(f_) || is_logic(f_) ? DType::Bool : type;
    inference.output(0, result);
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const auto y = second_shape(inference.shape(0), inference.shape(1));
    if (!y)
      return wrong_shape("input 1", inference.shape(1),
                         text("a shape that lies within ", to_string(inference.shape(0))));
    NM_ASSIGN(const Shape out, broadcast_or_fail(inference.shape(0), *y));
    inference.output(0, result, out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(0);
    const auto y_shape = second_shape(x.shape(), execution.input(1).shape());
    const bool turned = f_ == Function::Greater || f_ == Function::GreaterOrEqual;
    const Broadcast walk(execution.output(0).shape(),
                         {turned ? &*y_shape : &x.shape(), turned ? &x.shape() : &*y_shape});
    NM_ASSIGN(const PairKernel k, kernel_for(f_, x.dtype()));
    const auto* first = static_cast<const uint8_t*>(execution.input(turned ? 1 : 0).raw());
    const auto* second = static_cast<const uint8_t*>(execution.input(turned ? 0 : 1).raw());
    auto* out = static_cast<uint8_t*>(execution.output(0).raw());
    const auto in_size = static_cast<int64_t>(k.in_size), out_size = static_cast<int64_t>(k.out_size);
    for_elements(walk.count(), [&](int64_t begin, int64_t end) {
      walk.walk(begin, end, [&](const Broadcast::Run& r) {
        k.loop(first + r.in[0] * in_size, walk.step(0), second + r.in[1] * in_size, walk.step(1),
               out + r.out * out_size, r.count);
      });
    });
    return {};
  }

  bool in_place(size_t i) const override { return i < 2; }

 private:
  bool allowed(DType t) const {
    if (is_logic(f_)) return t == DType::Bool;
    if (!compares(f_)) return is_integer(t);
    return is_integer(t) || is_float(t) || (f_ == Function::Equal && (t == DType::Bool || t == DType::String));
  }
  std::string_view expected() const { return is_logic(f_) ? "bool" : compares(f_) ? "numbers" : "integers"; }
  std::optional<Shape> second_shape(const Shape& x, const Shape& y) const {
    return aligned_ && y.rank() > 0 ? align_at_axis(x, y, axis_) : std::optional(y);
  }

  Function f_;
  bool aligned_;
  int64_t axis_;
};

// Not and BitwiseNot.
class Not final : public Movement {
 public:
  Not(Attributes&, bool bits) : bits_(bits) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    const DType t = inference.type(0);
    if (t != DType::Undefined && (bits_ ? !is_integer(t) : t != DType::Bool)) {
      return wrong_type("the input", t, bits_ ? "integers" : "bool");
    }
    output_like(inference, 0, 0);
    return {};
  }

  Status run(Execution& execution) override {
    const auto* x = static_cast<const uint8_t*>(execution.input(0).raw());
    auto* y = static_cast<uint8_t*>(execution.output(0).raw());
    const uint8_t flip = bits_ ? 0xff : 1;
    for_elements(static_cast<int64_t>(execution.output(0).bytes()), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = x[i] ^ flip;
    });
    return {};
  }

  bool in_place(size_t i) const override { return i == 0; }

 private:
  bool bits_;
};

// A dimension is never negative.
DimEntry equal_entries(const ShapeQuery&, const DimEntry& a, const DimEntry& b) {
  if (a.same(b)) return DimEntry::number(1);
  const bool differ = a.is_dim ? !b.is_dim && b.value < 0 : b.is_dim ? a.value < 0 : true;
  return differ ? DimEntry::number(0) : DimEntry::unknown();
}

}  // namespace

constexpr AttributeRange kAxisUntil6[] = {{"axis", 1, 6}};
constexpr AttributeRange kNoAxis[] = {{"axis", kInNoVersion}};

constexpr Facts kOldest = {.inputs = 2, .outputs = 1, .layout = layout::elementwise, .attributes = kAxisUntil6};
constexpr Facts kNewer = {.inputs = 2, .outputs = 1, .layout = layout::elementwise, .attributes = kNoAxis};

constexpr OperatorEntry kEntries[] = {
    entry<Compare, Function::Equal>("Equal", 1,
                                    {.inputs = 2,
                                     .outputs = 1,
                                     .layout = layout::elementwise,
                                     .contents = contents::elementwise<equal_entries>,
                                     .attributes = kAxisUntil6}),
    entry<Compare, Function::Less>("Less", 1, kOldest),
    entry<Compare, Function::LessOrEqual>("LessOrEqual", 12, kNewer),
    entry<Compare, Function::Greater>("Greater", 1, kOldest),
    entry<Compare, Function::GreaterOrEqual>("GreaterOrEqual", 12, kNewer),
    entry<Compare, Function::And>("And", 1, kOldest),
    entry<Compare, Function::Or>("Or", 1, kOldest),
    entry<Compare, Function::Xor>("Xor", 1, kOldest),
    entry<Compare, Function::BitAnd>("BitwiseAnd", 18, kNewer),
    entry<Compare, Function::BitOr>("BitwiseOr", 18, kNewer),
    entry<Compare, Function::BitXor>("BitwiseXor", 18, kNewer),
    entry<Compare, Function::ShiftLeft>("BitShift", 11, kNewer),
    entry<Not, false>("Not", 1, {.inputs = 1, .outputs = 1, .layout = layout::elementwise}),
    entry<Not, true>("BitwiseNot", 18, {.inputs = 1, .outputs = 1, .layout = layout::elementwise}),
};

NM_OPERATORS(compare, kEntries)

}  // namespace nm
