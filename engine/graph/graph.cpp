#include "engine/graph/graph.h"

#include <algorithm>

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

SymbolTable::Sum SymbolTable::summands(int64_t dim) const {
  if (dim >= 0) return {dim, {}};
  const auto known = sums_.find(dim);
  return known != sums_.end() ? known->second : Sum{0, {dim}};
}

int64_t SymbolTable::entry(Sum sum) {
  constexpr int64_t kLargest = int64_t{1} << 31;  // sizes; sums of these do not overflow
  constexpr size_t kMost = 8;                     // symbols: enough for any model, few to compare
  if (sum.number < 0 || sum.number > kLargest || sum.symbols.size() > kMost) return kUnknownDim;
  if (sum.symbols.empty()) return sum.number;
  if (sum.symbols.size() == 1 && sum.number == 0) return sum.symbols[0];
  const auto [at, added] = entries_.try_emplace(std::move(sum), kUnknownDim);
  if (added) {
    at->second = dim("");
    sums_.emplace(at->second, at->first);
  }
  return at->second;
}

int64_t SymbolTable::sum(int64_t a, int64_t b) {
  if (a == kUnknownDim || b == kUnknownDim) return kUnknownDim;
  Sum s = summands(a);
  const Sum more = summands(b);
  if (__builtin_add_overflow(s.number, more.number, &s.number)) return kUnknownDim;
  s.symbols.insert(s.symbols.end(), more.symbols.begin(), more.symbols.end());
  std::sort(s.symbols.begin(), s.symbols.end());
  return entry(std::move(s));
}

int64_t SymbolTable::difference(int64_t a, int64_t b) {
  if (a == kUnknownDim || b == kUnknownDim) return kUnknownDim;
  Sum s = summands(a);
  const Sum less = summands(b);
  s.number -= less.number;  // neither is negative
  for (const int64_t symbol : less.symbols) {
    const auto found = std::find(s.symbols.begin(), s.symbols.end(), symbol);
    if (found == s.symbols.end()) return kUnknownDim;
    s.symbols.erase(found);
  }
  return entry(std::move(s));
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
