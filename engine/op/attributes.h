#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/kernels/functions.h"

namespace nm {

// The operator set versions that have an attribute, where a constructor reads it for the sake of other versions too, or
// of other operators of its class: {"ceil_mode", 10} came with 10, {"axis", 1, 6} ended with 6.
struct AttributeRange {
  std::string_view name;
  int16_t first;
  int16_t last = INT16_MAX;
};
// For attributes that only other operators of the class have.
inline constexpr int16_t kInNoVersion = INT16_MAX;

// Reads a node's attributes while its operator is constructed. The first problem is remembered and fails the
// construction afterwards, so constructors need no checks of their own. What is read is noted: an attribute that
// nobody asks for is one that the operator does not have in this version, and a model with it is refused (see
// unread_attribute), for it may mean something.
class Attributes {
 public:
  explicit Attributes(const Node& node, std::span<const AttributeRange> ranges = {}) : node_(node), ranges_(ranges) {}

  int version() const { return node_.version; }  // of the operator set
  std::string_view op_type() const { return node_.op_type; }
  std::string_view domain() const { return node_.domain; }
  // Of the node's inputs a constructor may know these two and no more: an operator is made once for a node, whose
  // inputs passes rewire (see operator_of). Those that subgraphs capture do not count.
  size_t input_count() const { return node_.explicit_inputs; }
  bool has_input(size_t i) const { return i < node_.explicit_inputs && node_.input(i) != kNone; }

  bool has(std::string_view name) {
    const auto it = node_.attributes.find(name);
    if (it == node_.attributes.end()) return false;
    read_.push_back(it->first);
    return true;
  }
  // The operator has these, and they change nothing that is computed here.
  void ignore(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) has(name);
  }
  // For those who hand them on: another operator reads them.
  const AttributeMap& all() {
    for (const auto& [name, value] : node_.attributes) read_.push_back(name);
    return node_.attributes;
  }
  // All of them, none of which counts as read by this.
  const AttributeMap& unnoted() const { return node_.attributes; }
  // The first attribute that nobody has read, or that this version lacks; empty when there is none.
  std::string_view unread() const;

  int64_t integer(std::string_view name, int64_t fallback) { return get(name, fallback); }
  bool flag(std::string_view name, bool fallback) { return get<int64_t>(name, fallback ? 1 : 0) != 0; }
  float number(std::string_view name, float fallback) { return get(name, fallback); }
  std::string string(std::string_view name, std::string fallback) { return get(name, std::move(fallback)); }
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> fallback = {}) {
    return get(name, std::move(fallback));
  }
  std::vector<float> numbers(std::string_view name, std::vector<float> fallback = {}) {
    return get(name, std::move(fallback));
  }
  std::vector<std::string> strings(std::string_view name, std::vector<std::string> fallback = {}) {
    return get(name, std::move(fallback));
  }
  Tensor tensor(std::string_view name) { return get(name, Tensor()); }
  ValueType type(std::string_view name, ValueType fallback) { return get(name, std::move(fallback)); }
  std::shared_ptr<Graph> graph(std::string_view name) { return get(name, std::shared_ptr<Graph>()); }
  // A function that the node names as `name`, and that a reduced build may lack.
  template <class Name>
  Unary function(Unary f, const Name& name) {
    selection::note(f);
    if (!selection::has_function(f))
      unsupported(text("the function ", name, " is not in this reduced build; ", selection::kRemedy));
    return f;
  }
  // Makes a missing attribute an error: a.require("axis").
  void require(std::string_view name) {
    if (!has(name)) fail(text("the required attribute '", name, "' is missing"));
  }
  // For values that make no sense or are not supported.
  void fail(std::string message) { fail(Code::InvalidModel, std::move(message)); }
  void unsupported(std::string message) { fail(Code::UnsupportedOperator, std::move(message)); }

  Status take_status() { return std::move(status_); }

 private:
  template <class T>
  T get(std::string_view name, T fallback) {
    if (!has(name)) return fallback;
    const auto it = node_.attributes.find(name);
    if (const T* value = std::get_if<T>(&it->second)) return *value;
    // An empty list has no elements to tell its type by in old files.
    fail(text("the attribute '", name, "' has the wrong type"));
    return fallback;
  }
  bool is_of_other_versions(std::string_view name) const;
  void fail(Code code, std::string message) {
    if (status_.ok()) status_ = Status(code, std::move(message));
  }

  const Node& node_;
  std::span<const AttributeRange> ranges_;
  std::vector<std::string_view> read_;  // names in the node
  Status status_;
};

}  // namespace nm
