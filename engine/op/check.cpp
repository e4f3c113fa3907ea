#include "engine/op/check.h"

namespace nm {

Status check_tensors(const Inference& inference, size_t required) {
  for (size_t i = 0; i < required; ++i) {
    if (!inference.has(i)) return {Code::MissingInput, text("input ", i, " is missing; the operator needs it")};
  }
  for (size_t i = 0; i < inference.input_count(); ++i) {
    if (!inference.has(i) || inference.value_type(i).is_tensor()) continue;
    const std::string actual = to_string(inference.value_type(i));
    return Status(Code::TypeMismatch, text("input ", i, " has type ", actual, "; expected a tensor"))
        .about(text("input ", i), "tensor", actual);
  }
  return {};
}

Status check_sequence(const Inference& inference, size_t i) {
  if (!inference.has(i))
    return {Code::MissingInput, text("input ", i, " is missing; the operator needs a sequence there")};
  const ValueType& t = inference.value_type(i);
  const bool unknown = t.is_tensor() && t.dtype == DType::Undefined;
  if (unknown || t.kind == ValueType::Kind::Sequence) return {};
  return Status(Code::TypeMismatch, text("input ", i, " has type ", to_string(t), "; expected a sequence"))
      .about(text("input ", i), "sequence", to_string(t));
}

Status check_type(const Inference& inference, size_t i, std::string_view what, std::initializer_list<DType> allowed) {
  const DType actual = inference.type(i);
  if (actual == DType::Undefined) return {};
  std::string expected;
  for (const DType t : allowed) {
    if (t == actual) return {};
    expected += text(expected.empty() ? "" : " or ", dtype_name(t));
  }
  return wrong_type(what, actual, expected);
}

Result<DType> common_type(const Inference& inference, size_t first, size_t last) {
  DType known = DType::Undefined;
  for (size_t i = first; i < last; ++i) {
    const DType t = inference.type(i);
    if (t == DType::Undefined) continue;
    if (known != DType::Undefined && t != known) return wrong_type(text("input ", i), t, dtype_name(known));
    known = t;
  }
  return known;
}

Status check_scalar(const Inference& inference, size_t i, std::string_view what) {
  if (!inference.has_shape(i) || !inference.shape(i).known() || inference.shape(i).count() == 1) return {};
  return wrong_shape(what, inference.shape(i), "one element");
}

DType type_attribute(Attributes& a, std::string_view name, DType fallback) {
  const int64_t number = a.integer(name, static_cast<int64_t>(fallback));
  if (dtype_valid(number)) return static_cast<DType>(number);
  if (a.has(name)) a.fail(text("the attribute '", name, "' is ", number, ", which is no element type that is known"));
  return fallback;
}

Result<Shape> check_shape(std::span<const int64_t> dims) {
  if (dims.size() > static_cast<size_t>(kMaxRank)) {
    return Status(Code::ShapeMismatch,
                  text("a shape has ", dims.size(), " dimensions; at most ", kMaxRank, " are supported"));
  }
  for (const int64_t d : dims) {
    if (d < 0)
      return Status(Code::InvalidData, text("a shape has the dimension ", d, "; dimensions must be at least 0"));
  }
  return Shape(dims);
}

Result<int> check_axis(int64_t axis, int rank) {
  const int a = normalize_axis(axis, rank);
  if (a >= 0) return a;
  if (rank == 0) return Status(Code::ShapeMismatch, text("there is no axis ", axis, " in a tensor without dimensions"));
  return Status(Code::ShapeMismatch, text("the axis ", axis, " is out of range for a tensor of rank ", rank,
                                          "; it must lie in [", -rank, ",", rank - 1, "]"));
}

Result<uint32_t> check_axes(std::span<const int64_t> axes, int rank) {
  uint32_t set = 0;
  for (const int64_t axis : axes) {
    NM_ASSIGN(const int a, check_axis(axis, rank));
    if (set >> a & 1) return Status(Code::ShapeMismatch, text("the axis ", axis, " is given twice"));
    set |= 1u << a;
  }
  return set;
}

}  // namespace nm
