#include "engine/base/status.h"

namespace nm {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::Ok:
      return "ok";
    case Code::InvalidModel:
      return "invalid_model";
    case Code::UnsupportedOperator:
      return "unsupported_operator";
    case Code::InvalidArgument:
      return "invalid_argument";
    case Code::MissingInput:
      return "missing_input";
    case Code::TypeMismatch:
      return "type_mismatch";
    case Code::ShapeMismatch:
      return "shape_mismatch";
    case Code::OutOfMemory:
      return "out_of_memory";
    case Code::Cancelled:
      return "cancelled";
    case Code::InvalidData:
      return "invalid_data";
    case Code::LimitExceeded:
      return "limit_exceeded";
    case Code::Suspended:
      return "suspended";
    case Code::Internal:
      return "internal";
  }
  return "internal";
}

std::string clipped(std::string text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
  return text += "…";
}

}  // namespace nm
