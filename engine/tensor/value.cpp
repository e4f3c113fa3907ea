#include "engine/tensor/value.h"

#include "engine/base/text.h"

namespace nm {

std::string to_string(const ValueType& type) {
  const std::string element = type.element ? to_string(*type.element) : std::string();
  switch (type.kind) {
    case ValueType::Kind::Tensor:
      return std::string(dtype_name(type.dtype));
    case ValueType::Kind::Sequence:
      return text("sequence(", element, ")");
    case ValueType::Kind::Optional:
      return text("optional(", element, ")");
    case ValueType::Kind::Map:
      return text("map(", dtype_name(type.dtype), ",", element, ")");
    case ValueType::Kind::SparseTensor:
      return text("sparse_tensor(", dtype_name(type.dtype), ")");
  }
  return "undefined";
}

}  // namespace nm
