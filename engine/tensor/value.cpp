#include "engine/tensor/value.h"

#include "engine/base/text.h"
#include "engine/tensor/edition.h"
#include "engine/tensor/growing.h"

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

const Shape* Value::shape() const {
  if (const Tensor* t = tensor()) return &t->shape();
  if (const Growing* g = growing()) return &g->shape();
  const std::shared_ptr<Edition> e = edition();
  return e != nullptr ? &e->shape() : nullptr;
}

ValueType type_of(const Value& value) {
  if (const Growing* g = value.growing()) return ValueType::tensor(g->dtype());
  if (const Tensor* t = value.tensor()) return ValueType::tensor(t->dtype());
  if (const auto e = value.edition()) return ValueType::tensor(e->dtype());
  if (const Sequence* s = value.sequence()) return ValueType::sequence(s->element);
  const Map* m = value.map();
  if (m == nullptr) return {};
  return {ValueType::Kind::Map, m->keys.dtype(), std::make_shared<const ValueType>(type_of(Value(m->values)))};
}

}  // namespace nm
