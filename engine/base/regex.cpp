// Matching: all places in the program that the text so far can have led to are followed at once.
#include "engine/base/regex.h"

#include <algorithm>

#include "engine/base/regex_parser.h"
#include "engine/base/utf8.h"

namespace nm {
namespace {

bool is_word(int32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool contains(const Regex::Set& set, int32_t c) {
  const auto it =
      std::upper_bound(set.begin(), set.end(), c, [](int32_t v, const Regex::Range& r) { return v < r.first; });
  return it != set.begin() && c <= it[-1].last;
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

  // Follows everything that consumes no character. `before` and `after` are the characters around, or kNoCharacter.
  void enter(size_t at, int32_t before, int32_t after) {
    open_.push_back(static_cast<int32_t>(at));
    while (!open_.empty()) {
      const int32_t p = open_.back();
      open_.pop_back();
      if (seen_[static_cast<size_t>(p)] == step_) continue;
      seen_[static_cast<size_t>(p)] = step_;
      if (static_cast<size_t>(p) == program_.size()) continue;
      const Regex::Instruction& i = program_[static_cast<size_t>(p)];
      const bool edge = is_word(before) != is_word(after);
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
        case Regex::Kind::TextStart:
          follow(before == kNoCharacter, p);
          break;
        case Regex::Kind::TextEnd:
          follow(after == kNoCharacter, p);
          break;
        case Regex::Kind::LineStart:
          follow(before == kNoCharacter || before == '\n', p);
          break;
        case Regex::Kind::LineEnd:
          follow(after == kNoCharacter || after == '\n', p);
          break;
        case Regex::Kind::WordEdge:
          follow(edge, p);
          break;
        case Regex::Kind::NoWordEdge:
          follow(!edge, p);
          break;
      }
    }
  }

 private:
  void follow(bool holds, int32_t p) {
    if (holds) open_.push_back(p + 1);
  }

  const Regex::Program& program_;
  std::vector<uint32_t> seen_;  // the step that came here last
  std::vector<int32_t> sets_;
  std::vector<int32_t> open_;
  uint32_t step_ = 1;
};

}  // namespace

Result<Regex> Regex::compile(std::string_view pattern) {
  Regex regex;
  RegexParser parser(pattern, regex.sets_);
  NM_TRY(parser.parse(regex.program_));
  return regex;
}

size_t Regex::longest_match(std::string_view text, size_t from) const {
  Places places[2] = {Places(program_), Places(program_)};
  Places* now = &places[0];
  Places* next = &places[1];
  int32_t before = kNoCharacter;
  size_t at = from;
  if (from > 0) {
    do --at;
    while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80);
    before = next_character(text, at);
    at = from;
  }
  int32_t c = next_character(text, at);
  size_t end = from;  // of what has been read; `at` is one character ahead
  size_t longest = kNone;
  now->enter(0, before, c);
  while (true) {
    if (now->ended()) longest = end;
    if (c < 0 || now->sets().empty()) return longest;
    end = at;
    const int32_t after = next_character(text, at);
    next->clear();
    for (const int32_t p : now->sets()) {
      const auto at_set = static_cast<size_t>(p);
      if (contains(sets_[static_cast<size_t>(program_[at_set].a)], c)) next->enter(at_set + 1, c, after);
    }
    std::swap(now, next);
    c = after;
  }
}

}  // namespace nm
