#include "engine/op/operator.h"

namespace nm {

namespace {

// Are all shapes of the inputs numbers? Then so are those of the outputs, or they depend on data.
bool inputs_known(const Inference& inference) {
  for (size_t i = 0; i < inference.input_count(); ++i) {
    if (inference.has(i) && !(inference.has_shape(i) && inference.shape(i).known())) return false;
  }
  return true;
}

}  // namespace

Status Operator::infer_outputs(Inference& inference) const {
  NM_TRY(check_memory());
  NM_TRY(infer(inference));
  NM_TRY(check_memory());  // lists that had no room count as unknown
  const bool known = inputs_known(inference);
  for (size_t o = 0; o < inference.output_count(); ++o) {
    const Inference::Output& out = inference.output_slot(o);
    if (!out.shape) continue;
    NM_TRY(check_addressable(text("output ", o, ","), out.type.is_tensor() ? out.type.dtype : DType::Undefined,
                             *out.shape));
    for (const int64_t d : *out.shape) {
      // Symbols are negative too, but there are none left; -1 is a dimension that depends on data.
      if (known && d < kUnknownDim) {
        return {Code::ShapeMismatch, text("output ", o, " would have a dimension of ", d, "; its inputs do not fit")};
      }
    }
  }
  return {};
}

Status wrong_type(std::string_view what, DType actual, std::string_view expected) {
  return Status(Code::TypeMismatch, text(what, " has type ", dtype_name(actual), "; expected ", expected))
      .about(what, std::string(expected), std::string(dtype_name(actual)));
}

Status wrong_shape(std::string_view what, const Shape& actual, std::string_view expected) {
  return Status(Code::ShapeMismatch, text(what, " has shape ", to_string(actual), "; expected ", expected))
      .about(what, std::string(expected), to_string(actual));
}

}  // namespace nm
