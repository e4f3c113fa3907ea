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

struct OperandPair {
  const Broadcast& walk;
  const Tensor& x;
  const Tensor& y;
  Tensor& out;
};

template <class T, class R, class F>
void apply(const OperandPair& o, F&& f) {
  const T* x = static_cast<const T*>(o.x.raw());
  const T* y = static_cast<const T*>(o.y.raw());
  R* out = static_cast<R*>(o.out.raw());
  for_elements(o.walk.count(), [&](int64_t begin, int64_t end) {
    o.walk.walk(begin, end, [&](const Broadcast::Run& r) {
      const T* px = x + r.in[0];
      const T* py = y + r.in[1];
      R* to = out + r.out;
      const int64_t sx = o.walk.step(0);
      const int64_t sy = o.walk.step(1);
      if (sx == 1 && sy == 0) {
        for (int64_t i = 0; i < r.count; ++i) to[i] = f(px[i], *py);
      } else {
        for (int64_t i = 0; i < r.count; ++i) to[i] = f(px[i * sx], py[i * sy]);
      }
    });
  });
}

template <class T>
void compare(Function f, const OperandPair& o) {
  switch (f) {
    case Function::Less:
    case Function::Greater:  // of operands that have changed places
      return apply<T, bool>(o, [](const T& a, const T& b) { return a < b; });
    case Function::LessOrEqual:
    case Function::GreaterOrEqual:
      return apply<T, bool>(o, [](const T& a, const T& b) { return a <= b; });
    default:
      return apply<T, bool>(o, [](const T& a, const T& b) { return a == b; });
  }
}

template <class T>
void combine(Function f, const OperandPair& o) {
  constexpr T kBits = static_cast<T>(8 * sizeof(T));
  switch (f) {
    case Function::And:
    case Function::BitAnd:
      return apply<T, T>(o, [](T a, T b) { return static_cast<T>(a & b); });
    case Function::Or:
    case Function::BitOr:
      return apply<T, T>(o, [](T a, T b) { return static_cast<T>(a | b); });
    case Function::ShiftLeft:
      return apply<T, T>(o, [](T a, T b) { return b < kBits ? static_cast<T>(a << b) : T{0}; });
    case Function::ShiftRight:
      return apply<T, T>(o, [](T a, T b) { return b < kBits ? static_cast<T>(a >> b) : T{0}; });
    case Function::ShiftRightSigned:  // negative distances are, read as unsigned, beyond all bits
      return apply<T, T>(o, [](T a, T b) {
        return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> (b < kBits ? b : kBits - 1));
      });
    default:
      return apply<T, T>(o, [](T a, T b) { return static_cast<T>(a ^ b); });
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
    const OperandPair o{walk, turned ? execution.input(1) : x, turned ? x : execution.input(1), execution.output(0)};
    if (!compares(f_)) {
      const bool is_signed = x.dtype() == DType::Int8 || x.dtype() == DType::Int16 || x.dtype() == DType::Int32 ||
                             x.dtype() == DType::Int64;
      const Function f = is_signed && f_ == Function::ShiftRight ? Function::ShiftRightSigned : f_;
      switch (dtype_bits(x.dtype())) {
        case 8:
          combine<uint8_t>(f, o);
          break;
        case 16:
          combine<uint16_t>(f, o);
          break;
        case 32:
          combine<uint32_t>(f, o);
          break;
        default:
          combine<uint64_t>(f, o);
      }
      return {};
    }
    switch (x.dtype()) {
      case DType::String:
        compare<std::string>(f_, o);
        return {};
      case DType::Bool:
        compare<uint8_t>(f_, o);
        return {};
      case DType::Float16:
        compare<float16>(f_, o);
        return {};
      case DType::BFloat16:
        compare<bfloat16>(f_, o);
        return {};
      default:
        return with_number(x.dtype(), [&]<class T>() -> Status {
          compare<T>(f_, o);
          return {};
        });
    }
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
