#include "engine/graph/graph.h"

namespace nm {

int64_t SymbolTable::dim(std::string_view name) {
  for (size_t i = 0; i < names_.size() && !name.empty(); ++i) {
    if (names_[i] == name) return -static_cast<int64_t>(i) - 2;
  }
  names_.emplace_back(name);
  return -static_cast<int64_t>(names_.size()) - 1;
}

std::string_view SymbolTable::name(int64_t dim) const {
  const auto index = static_cast<size_t>(-dim - 2);
  return dim < kUnknownDim && index < names_.size() ? std::string_view(names_[index]) : std::string_view();
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  GraphValue v;
  v.name = std::move(value_name);
  v.type = ValueType::tensor(tensor.dtype());
  v.shape = tensor.shape();
  v.constant = std::move(tensor);
  return add_value(std::move(v));
}

std::string to_string(const Shape& shape, const SymbolTable& symbols) {
  std::string out = "[";
  for (int i = 0; i < shape.rank(); ++i) {
    if (i > 0) out += ',';
    if (shape[i] >= 0) {
      out += std::to_string(shape[i]);
    } else {
      const std::string_view name = symbols.name(shape[i]);
      out += name.empty() ? "?" : name;
    }
  }
  return out + "]";
}

}  // namespace nm
