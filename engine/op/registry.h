// The registry: what the engine knows of an operator beside its code. Each operator file states it in a table, so that
// passes, checks and documents need no lists of their own.
#pragma once
#include <algorithm>
#include <climits>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/selection.h"
#include "engine/op/custom.h"
#include "engine/op/layout.h"
#include "engine/op/operator.h"
#include "engine/op/shape_contents.h"

namespace nm {

class Composition;

inline constexpr uint8_t kAny = 255;  // any number of inputs or outputs

// Which inputs an operator only moves: its outputs' elements are elements of theirs.
enum class Moves : uint8_t { Nothing, First, All };

struct Facts {
  // The most inputs and outputs that a node of these versions may have.
  uint8_t inputs = 0;
  uint8_t outputs = 0;
  // The last version; the next row of the name ends the versions of this one too.
  int16_t until = INT16_MAX;
  // See layout.h. Every operator with a class states one; compositions are replaced before anybody asks.
  LayoutRule layout = nullptr;
  // While dimensions are symbols: what output 0 holds, and the shape it gets from what inputs hold (shape_contents.h).
  ContentsRule contents = nullptr;
  ShapeRule shape = nullptr;
  // QuantizeLinear may change places with the operator, so that it moves bytes.
  Moves moves = Moves::Nothing;
  // An activation behind the operator can become part of it: its constructor reads FusedActivation.
  bool takes_activation = false;
  // float64 is computed in float32: a pass puts Casts around the operator.
  bool single_precision = false;
  // The versions of attributes that the class reads in others too.
  std::span<const AttributeRange> attributes = {};
};

// Of a domain and a name: looked up for every node in every pass, so numbers are compared and not texts.
constexpr uint32_t operator_key(std::string_view domain, std::string_view name) {
  uint32_t key = 2166136261;  // FNV-1a
  for (const std::string_view part : {domain, std::string_view("."), name}) {
    for (const char c : part) key = (key ^ static_cast<uint8_t>(c)) * 16777619;
  }
  return key;
}

struct OperatorEntry {
  uint32_t key = 0;
  std::string_view domain;
  std::string_view name;
  int16_t since = 1;  // the first operator set version of the form that the class understands
  Facts facts;
  // One of the two: an operator of its own, or other operators that take its place (see composition.h).
  OperatorPtr (*make)(Attributes&) = nullptr;
  void (*compose)(Composition&) = nullptr;

  int until() const { return facts.until; }
};

template <class T, auto... args>
OperatorPtr make_operator(Attributes& a) {
  return std::make_unique<T>(a, args...);
}

// Whoever runs a packed model asks for no facts but attributes' versions.
constexpr Facts kept(Facts facts) {
  if (!selection::kReadsOnnx) facts.layout = nullptr, facts.contents = nullptr, facts.shape = nullptr;
  return facts;
}

// T's constructor takes (Attributes&, args...): entry<UnaryOperator, Unary::Exp>("Exp", 1, {…}). A reduced build has
// nothing of an operator that it leaves out but an empty row.
template <class T, auto... args>
constexpr OperatorEntry entry_in(std::string_view domain, std::string_view name, int16_t since, const Facts& facts) {
  if (!selection::has_operator(domain, name)) return {};
  return {operator_key(domain, name), domain, name, since, kept(facts), make_operator<T, args...>, nullptr};
}
template <class T, auto... args>
constexpr OperatorEntry entry(std::string_view name, int16_t since, const Facts& facts) {
  return entry_in<T, args...>("", name, since, facts);
}
// Whether one of the rows makes such operators: what a class does for others is not in a reduced build.
template <class T, auto... args>
constexpr bool makes(std::span<const OperatorEntry> rows) {
  if (selection::kWhole) return true;
  return std::any_of(rows.begin(), rows.end(),
                     [](const OperatorEntry& row) { return row.make == make_operator<T, args...>; });
}
constexpr OperatorEntry composition_in(std::string_view domain, std::string_view name, int16_t since,
                                       const Facts& facts, void (*compose)(Composition&)) {
  if (!selection::kReadsOnnx) return {};
  return {operator_key(domain, name), domain, name, since, facts, nullptr, compose};
}

using Entries = std::span<const OperatorEntry>;

// Defines what the build's list of operator files names.
#define NM_OPERATORS(file, entries) \
  Entries operators_of_##file() { return entries; }

class Registry {
 public:
  static const Registry& instance();

  // The row of the highest version that is not above `version`, unless it has ended before.
  const OperatorEntry* find(std::string_view domain, std::string_view name, int version) const;
  const OperatorEntry* find(const Node& node) const {
    return is_custom(node) ? &custom_entry() : find(node.domain, node.op_type, node.version);
  }
  // All rows of a name, in the order of their versions.
  std::vector<const OperatorEntry*> rows(std::string_view domain, std::string_view name) const;
  // Rows of one name stand together, in the order of their versions.
  const std::vector<const OperatorEntry*>& entries() const { return entries_; }
  // Names, each counted once.
  size_t operator_count() const;

 private:
  Registry();
  std::vector<const OperatorEntry*> entries_;
};

// What the node's operator states; the facts of an operator that is not there are none.
const Facts& facts_of(const Node& node);

// The node's operator, as its constructor left it: the node has it from the first time anybody asks until its type,
// version, attributes or the number of its inputs change. UnsupportedOperator when there is none for its domain, type
// and version; InvalidModel when its attributes do not fit.
Result<const Operator*> operator_of(const Node& node);
// Fails for the same reasons, and where the node has an attribute that the operator does not (see signature.h).
Status check_attributes(const Node& node);
// The operator for whoever prepares and runs it. The node lets go of it and gets a new one when it is asked again.
Result<OperatorPtr> take_operator(Node& node);

}  // namespace nm
