// Nodes that compute the same of the same become one.
#include <unordered_map>

#include "engine/op/registry.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

// Larger constants are weights: rarely equal, and not worth reading.
constexpr size_t kLargestConstant = 256;

// Text that is equal for equal values.
class Key {
 public:
  template <class T>
  void raw(const T* p, size_t count) {
    text_.append(reinterpret_cast<const char*>(p), count * sizeof(T));
  }
  template <class T>
  void number(T v) {
    raw(&v, 1);
  }
  void string(std::string_view s) {
    number(s.size());
    text_ += s;
  }
  template <class T>
  void list(const std::vector<T>& v) {
    number(v.size());
    raw(v.data(), v.size());
  }

  bool attribute(const Attribute& a) {
    number(a.index());
    if (const auto* i = std::get_if<int64_t>(&a)) return number(*i), true;
    if (const auto* f = std::get_if<float>(&a)) return number(*f), true;
    if (const auto* s = std::get_if<std::string>(&a)) return string(*s), true;
    if (const auto* l = std::get_if<std::vector<int64_t>>(&a)) return list(*l), true;
    if (const auto* l = std::get_if<std::vector<float>>(&a)) return list(*l), true;
    return false;
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Empty where nothing can be said. How many outputs a node has and which of them are there belongs to what it computes:
// a Split makes as many parts, an early BatchNormalization is in training with five of them.
std::string key_of(const Graph& graph, const Node& node) {
  Key key;
  key.string(node.op_type);
  key.string(node.domain);
  key.number(node.version);
  key.list(node.inputs);
  key.number(node.explicit_inputs);
  key.number(node.outputs.size());
  for (const ValueId id : node.outputs) {
    key.number(id == kNone);
    if (id != kNone && !graph.value(id).type.is_tensor()) return {};
  }
  for (const auto& [name, value] : node.attributes) {
    key.string(name);
    if (!key.attribute(value)) return {};
  }
  const auto op = operator_of(node);
  return op.ok() && (*op)->pure() ? key.take() : std::string();
}

std::string key_of(const Tensor& t) {
  if (t.raw() == nullptr || t.bytes() > kLargestConstant || t.dtype() == DType::String) return {};
  Key key;
  key.number(t.dtype());
  key.number(t.rank());
  for (const int64_t d : t.shape()) key.number(d);
  key.string({static_cast<const char*>(t.raw()), t.bytes()});
  return key.take();
}

}  // namespace

Result<bool> eliminate_common(Graph& graph) {
  PerValue<ValueId> same(graph);
  std::unordered_map<std::string, ValueId> constants;
  for (ValueId id = 0; id < graph.value_count(); ++id) {
    const Tensor* t = graph.constant(id);
    std::string key = t != nullptr ? key_of(*t) : std::string();
    same[id] = key.empty() ? id : constants.emplace(std::move(key), id).first->second;
  }
  std::unordered_map<std::string, size_t> nodes;
  bool changed = false;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    for (ValueId& id : node.inputs) {
      if (id != kNone) id = same[id];
    }
    std::string key = key_of(graph, node);
    if (key.empty()) continue;
    const auto [at, is_first] = nodes.emplace(std::move(key), n);
    const Node& first = graph.nodes[at->second];
    if (is_first) continue;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNone) same[node.outputs[o]] = first.outputs[o];
    }
    changed = true;
  }
  for (ValueId& id : graph.outputs) id = same[id];
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
