// The graph between the file and the program: values, nodes, attributes, subgraphs. Index based, so passes rewrite
// it with plain assignments. Nodes stand in execution order.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/tensor/value.h"

namespace nm {

struct Graph;
struct MadeOperator;  // what the registry remembers of a node (engine/op/registry.cpp)

inline constexpr std::string_view kMicrosoftDomain = "com.microsoft";
inline constexpr std::string_view kMlDomain = "ai.onnx.ml";
inline constexpr std::string_view kInternalDomain = "neuromancer";  // what only passes write

using ValueId = int32_t;
inline constexpr ValueId kNone = -1;  // an optional input or output that is not there

using Attribute = std::variant<int64_t, float, std::string, Tensor, std::shared_ptr<Graph>, std::vector<int64_t>,
                               std::vector<float>, std::vector<std::string>, std::vector<Tensor>, ValueType>;

// A node's attributes by name, and the operator that has been made of them. The operator goes as soon as anybody may
// have written to them; a copy begins without one.
class AttributeMap {
 public:
  using Map = std::map<std::string, Attribute, std::less<>>;

  AttributeMap() = default;
  AttributeMap(std::initializer_list<Map::value_type> attributes) : map_(attributes) {}
  AttributeMap(const AttributeMap& other) : map_(other.map_) {}
  AttributeMap(AttributeMap&&) = default;
  AttributeMap& operator=(const AttributeMap& other) { return *this = AttributeMap(other); }
  AttributeMap& operator=(AttributeMap&&) = default;

  Map::const_iterator begin() const { return map_.begin(); }
  Map::const_iterator end() const { return map_.end(); }
  Map::const_iterator find(std::string_view name) const { return map_.find(name); }
  bool contains(std::string_view name) const { return map_.contains(name); }
  size_t size() const { return map_.size(); }

  Attribute& operator[](std::string_view name) { return written()[std::string(name)]; }
  // Does nothing when there is one already.
  void emplace(std::string_view name, Attribute value) { written().emplace(name, std::move(value)); }
  void erase(std::string_view name) {
    if (const auto it = map_.find(name); it != map_.end()) written().erase(it);
  }
  void clear() { written().clear(); }

  // For the registry.
  std::shared_ptr<MadeOperator>& made() const { return made_; }

 private:
  Map& written() {
    made_ = nullptr;
    return map_;
  }

  Map map_;
  mutable std::shared_ptr<MadeOperator> made_;
};

// Attributes that passes add to ONNX's operators start with this; a model file may not use it.
inline constexpr std::string_view kInternalPrefix = "nm_";

struct GraphValue {
  std::string name;
  ValueType type;
  std::optional<Shape> shape;  // absent: not even the rank is known
  Tensor constant;             // defined for initializers and folded values
  bool is_constant() const { return constant.defined(); }
};

struct Node {
  std::string name;
  std::string op_type;
  std::string domain;   // "" is ai.onnx
  int version = 0;      // of the operator set the node was written for
  bool custom = false;  // the host computes it (engine/op/custom.h)
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  AttributeMap attributes;
  // Outer values that the node's subgraphs use, appended to `inputs` from this index on, so that lifetimes and
  // rewrites see them as the inputs they are.
  size_t explicit_inputs = 0;

  ValueId input(size_t i) const { return i < inputs.size() ? inputs[i] : kNone; }
  bool is(std::string_view type, std::string_view dom = "") const { return op_type == type && domain == dom; }
};

// Names of symbolic dimensions, shared by a graph and its subgraphs.
class SymbolTable {
 public:
  // The Shape entry (below -1) that stands for `name`; without a name a new one each time.
  int64_t dim(std::string_view name);
  // The name of a Shape entry; empty for -1.
  std::string_view name(int64_t dim) const;
  // The entry that stands for a + b and a - b, where these are entries: the same for the same summands, in whatever
  // order they were added. kUnknownDim where nothing can be said: of too many summands, or of what might be negative.
  int64_t sum(int64_t a, int64_t b);
  int64_t difference(int64_t a, int64_t b);

 private:
  struct Sum {
    int64_t number = 0;
    std::vector<int64_t> symbols;  // sorted, none a sum itself
    auto operator<=>(const Sum&) const = default;
  };
  Sum summands(int64_t dim) const;
  int64_t entry(Sum sum);

  std::vector<std::string> names_;
  std::map<int64_t, Sum> sums_;  // by the entry
  std::map<Sum, int64_t> entries_;
};

// A value that a subgraph takes from outside: `inner` is its id inside, `input` its index among the owning node's
// inputs.
struct Capture {
  ValueId inner = kNone;
  size_t input = 0;
};

struct Graph {
  std::string name;
  std::vector<GraphValue> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<Capture> captures;  // subgraphs only
  std::shared_ptr<SymbolTable> symbols;

  ValueId value_count() const { return static_cast<ValueId>(values.size()); }
  ValueId add_value(GraphValue value) {
    values.push_back(std::move(value));
    return value_count() - 1;
  }
  ValueId add_constant(std::string value_name, Tensor tensor);
  const GraphValue& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  GraphValue& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Tensor* constant(ValueId id) const {
    return id != kNone && value(id).is_constant() ? &value(id).constant : nullptr;
  }
};

// "[batch,3,?]" with symbol names.
std::string to_string(const Shape& shape, const SymbolTable& symbols);

}  // namespace nm
