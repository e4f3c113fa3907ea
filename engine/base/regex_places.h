// The places in a regular expression's program that the text so far can have led to.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/base/regex.h"
#include "engine/base/utf8.h"

namespace nm {

inline bool is_word(int32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

inline bool contains(const Regex::Set& set, int32_t c) {
  const auto it =
      std::upper_bound(set.begin(), set.end(), c, [](int32_t v, const Regex::Range& r) { return v < r.first; });
  return it != set.begin() && c <= it[-1].last;
}

// Whether a condition on what is around a place is met. `before` and `after` are the characters there, or kNoCharacter.
inline bool holds(Regex::Kind condition, int32_t before, int32_t after) {
  switch (condition) {
    case Regex::Kind::TextStart:
      return before == kNoCharacter;
    case Regex::Kind::TextEnd:
      return after == kNoCharacter;
    case Regex::Kind::LineStart:
      return before == kNoCharacter || before == '\n';
    case Regex::Kind::LineEnd:
      return after == kNoCharacter || after == '\n';
    case Regex::Kind::WordEdge:
      return is_word(before) != is_word(after);
    case Regex::Kind::NoWordEdge:
      return is_word(before) == is_word(after);
    default:
      return false;
  }
}

// The places reached, each once.
class Places {
 public:
  explicit Places(const Regex::Program& program) : program_(program), seen_(program.size() + 1, 0) {}

  const std::vector<int32_t>& sets() const { return sets_; }
  bool ended() const { return seen_[program_.size()] == step_; }
  void clear() {
    sets_.clear();
    ++step_;
  }

  // Follows everything that consumes no character.
  void enter(size_t at, int32_t before, int32_t after) {
    open_.push_back(static_cast<int32_t>(at));
    while (!open_.empty()) {
      const int32_t p = open_.back();
      open_.pop_back();
      if (seen_[static_cast<size_t>(p)] == step_) continue;
      seen_[static_cast<size_t>(p)] = step_;
      if (static_cast<size_t>(p) == program_.size()) continue;
      const Regex::Instruction& i = program_[static_cast<size_t>(p)];
      switch (i.kind) {
        case Regex::Kind::Set:
          sets_.push_back(p);
          break;
        case Regex::Kind::Split:
          open_.push_back(p + i.b);
          [[fallthrough]];
        case Regex::Kind::Jump:
          open_.push_back(p + i.a);
          break;
        default:
          if (holds(i.kind, before, after)) open_.push_back(p + 1);
      }
    }
  }

 private:
  const Regex::Program& program_;
  std::vector<uint32_t> seen_;  // the step that came here last
  std::vector<int32_t> sets_;
  std::vector<int32_t> open_;
  uint32_t step_ = 1;
};

}  // namespace nm
