#include "engine/op/numbers.h"

namespace nm {

Status check_float(const Inference& inference, size_t i, std::string_view what) {
  const DType t = inference.type(i);
  if (t == DType::Undefined || is_float(t)) return {};
  return wrong_type(what, t, "a float type");
}

Status check_number(const Inference& inference, size_t i, std::string_view what) {
  const DType t = inference.type(i);
  if (t == DType::Undefined || is_float(t) || is_integer(t)) return {};
  return wrong_type(what, t, "a float or integer type");
}

void output_like(Inference& inference, size_t o, size_t i) {
  inference.output(o, inference.type(i));
  if (inference.has_shape(i)) inference.output(o, inference.type(i), inference.shape(i));
}

Status no_arithmetic(DType dtype) {
  if (!selection::has_type(static_cast<int>(dtype))) {
    return {Code::TypeMismatch, text("this reduced build has no ", dtype_name(dtype), "; ", selection::kRemedy)};
  }
  return {Code::TypeMismatch,
          text("there is no arithmetic for ", dtype_name(dtype), " in this operator; cast its inputs")};
}

}  // namespace nm
