// What flows along an edge of the graph: a tensor, a sequence of values, a map, or nothing (an absent optional).
#pragma once
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/selection.h"
#include "engine/tensor/items.h"
#include "engine/tensor/tensor.h"

namespace nm {

class Edition;
class Growing;

// The static type of an edge. Nested types own their element type.
struct ValueType {
  enum class Kind : uint8_t { Tensor, Sequence, Optional, Map, SparseTensor };
  Kind kind = Kind::Tensor;
  DType dtype = DType::Undefined;  // of the tensor; of a map's keys
  std::shared_ptr<const ValueType> element;

  static ValueType tensor(DType dtype) { return {Kind::Tensor, dtype, nullptr}; }
  static ValueType sequence(ValueType element) {
    return {Kind::Sequence, DType::Undefined, std::make_shared<const ValueType>(std::move(element))};
  }
  static ValueType optional(ValueType element) {
    return {Kind::Optional, DType::Undefined, std::make_shared<const ValueType>(std::move(element))};
  }
  bool is_tensor() const { return kind == Kind::Tensor; }
};

// "float32", "sequence(float32)", "optional(sequence(int64))", "map(string,float32)"
std::string to_string(const ValueType& type);

struct Sequence {
  ValueType element = ValueType::tensor(DType::Undefined);
  Items items;
};

// ONNX maps hold scalars: keys (int64 or string) and values as two tensors of the same length.
struct Map {
  Tensor keys;
  Tensor values;
};

class Value {
 public:
  Value() = default;                                                                  // nothing: an absent optional
  Value(Tensor tensor) : content_(std::move(tensor)) {}                               // NOLINT
  Value(std::shared_ptr<const Growing> growing) : content_(std::move(growing)) {}     // NOLINT
  Value(std::shared_ptr<Edition> edition) : content_(std::move(edition)) {}           // NOLINT
  Value(std::shared_ptr<const Sequence> sequence) : content_(std::move(sequence)) {}  // NOLINT
  Value(std::shared_ptr<const Map> map) : content_(std::move(map)) {}                 // NOLINT

  bool empty() const { return std::holds_alternative<std::monostate>(content_); }
  const Tensor* tensor() const { return std::get_if<Tensor>(&content_); }
  Tensor* tensor() { return std::get_if<Tensor>(&content_); }
  // A tensor that is not dense (growing.h): only values that the caller keeps are, and only where their readers expect
  // it.
  const Growing* growing() const {
    if constexpr (!selection::has<selection::Part::States>) return nullptr;
    const auto* g = std::get_if<std::shared_ptr<const Growing>>(&content_);
    return g ? g->get() : nullptr;
  }
  // A tensor whose memory may go to another by writing a few elements (edition.h): of those, too, only that the caller
  // keeps. Nothing where the value is none.
  std::shared_ptr<Edition> edition() const {
    if constexpr (!selection::has<selection::Part::States>) return nullptr;
    const auto* e = std::get_if<std::shared_ptr<Edition>>(&content_);
    return e ? *e : nullptr;
  }
  // Of a tensor, in whatever form; nullptr otherwise.
  const Shape* shape() const;
  const Sequence* sequence() const {
    if constexpr (!selection::has<selection::Part::OtherValues>) return nullptr;
    const auto* s = std::get_if<std::shared_ptr<const Sequence>>(&content_);
    return s ? s->get() : nullptr;
  }
  const Map* map() const {
    if constexpr (!selection::has<selection::Part::OtherValues>) return nullptr;
    const auto* m = std::get_if<std::shared_ptr<const Map>>(&content_);
    return m ? m->get() : nullptr;
  }

 private:
  std::variant<std::monostate, Tensor, std::shared_ptr<const Growing>, std::shared_ptr<Edition>,
               std::shared_ptr<const Sequence>, std::shared_ptr<const Map>>
      content_;
};

// Of a value that is not empty.
ValueType type_of(const Value& value);

}  // namespace nm
