#include "engine/tensor/cast.h"

#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

// Cast, whose type is an attribute, and CastLike, whose type is its second input's.
class Cast final : public Movement {
 public:
  Cast(Attributes& a, bool like) : like_(like) {
    options_.saturate = a.flag("saturate", true);
    const std::string rounding = a.string("round_mode", "up");
    options_.rounding = rounding == "up" ? Rounding::Up : rounding == "down" ? Rounding::Down : Rounding::Nearest;
    if (like_) return;
    a.require("to");
    to_ = a.version() < 6 ? by_name(a) : type_attribute(a, "to", DType::Undefined);
    if (to_ != DType::Undefined && !can_cast(to_))
      a.unsupported(text("casts to ", dtype_name(to_), " are not supported"));
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, like_ ? 2 : 1));
    const DType to = like_ ? inference.type(1) : to_;
    for (const DType t : {inference.type(0), to}) {
      if (t != DType::Undefined && !can_cast(t)) return wrong_type("the input", t, "a type that is not complex");
    }
    inference.output(0, to);
    if (inference.has_shape(0)) inference.output(0, to, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override { return cast(execution.input(0), execution.output(0), options_); }

  std::optional<View> view(const Inference& inference, size_t) const override {
    return inference.type(0) == (like_ ? inference.type(1) : to_) ? std::optional<View>(View{}) : std::nullopt;
  }

 private:
  // Operator sets 1 to 5 name the type.
  static DType by_name(Attributes& a) {
    static constexpr std::string_view kNames[] = {"UNDEFINED", "FLOAT",  "UINT8",  "INT8",   "UINT16",
                                                  "INT16",     "INT32",  "INT64",  "STRING", "BOOL",
                                                  "FLOAT16",   "DOUBLE", "UINT32", "UINT64"};
    const std::string name = a.string("to", "");
    for (size_t i = 1; i < std::size(kNames); ++i) {
      if (name == kNames[i]) return static_cast<DType>(i);
    }
    a.fail(text("the attribute 'to' is '", name, "', which is no element type that is known"));
    return DType::Undefined;
  }

  bool like_;
  DType to_ = DType::Undefined;
  CastOptions options_;
};

// The same bits under another type of the same size.
class BitCast final : public SameBytes {
 public:
  explicit BitCast(Attributes& a) : to_(type_attribute(a, "to", DType::Undefined)) {
    a.require("to");
    if (to_ == DType::String) a.fail("text has no bits to be read as another type");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    const DType from = inference.type(0);
    if (from != DType::Undefined && (from == DType::String || dtype_bits(from) != dtype_bits(to_))) {
      return wrong_type("the input", from, text("a type of ", dtype_bits(to_), " bits, as ", dtype_name(to_)));
    }
    inference.output(0, to_);
    if (inference.has_shape(0)) inference.output(0, to_, inference.shape(0));
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    copy_run(in.dtype(), in.raw(), 0, execution.output(0).raw(), 0, in.count());
    return {};
  }

 private:
  DType to_;
};

std::optional<DimList> cast_contents(const ShapeQuery& q) {
  return is_index(q.output().type.dtype) ? contents::same(q) : std::nullopt;
}

}  // namespace

constexpr AttributeRange kCastAttributes[] = {{"round_mode", 24}, {"saturate", 19}};

constexpr OperatorEntry kEntries[] = {
    entry<Cast, false>("Cast", 1,
                       {.inputs = 1,
                        .outputs = 1,
                        .layout = layout::elementwise,
                        .contents = cast_contents,
                        .attributes = kCastAttributes}),
    entry<Cast, true>("CastLike", 15,
                      {.inputs = 2, .outputs = 1, .layout = layout::elementwise, .attributes = kCastAttributes}),
    entry<BitCast>("BitCast", 26, {.inputs = 1, .outputs = 1, .layout = layout::elementwise}),
};

NM_OPERATORS(cast, kEntries)

}  // namespace nm
