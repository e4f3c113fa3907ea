// What can be asked for by a number: the operators of this build, and what their files say of their attributes. Numbers
// stay valid when operators are added, but for a few: an operator is found by a hash of its name.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/op/registry.h"

namespace nm::fuzz {

enum class Kind : uint8_t { Integer, Number, Text, Integers, Numbers, Texts, Tensor, Graph };
inline constexpr int kKinds = 8;

struct AttributeName {
  std::string_view name;
  Kind kind;
};

struct OperatorName {
  const OperatorEntry* entry;
  uint16_t hash;
  const std::vector<AttributeName>* attributes;
  const std::vector<std::string_view>* texts;
};

// The operators that a model file may name, by hash.
const std::vector<OperatorName>& operator_names();
// The one whose hash comes next.
const OperatorName& operator_at(uint16_t hash);
// The entry for a node of a file; nullptr when there is none.
const OperatorName* find_operator(std::string_view domain, std::string_view name, int version);

}  // namespace nm::fuzz
