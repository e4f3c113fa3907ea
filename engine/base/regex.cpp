// Matching: all places in the program that the text so far can have led to are followed at once.
#include "engine/base/regex.h"

#include "engine/base/regex_parser.h"
#include "engine/base/regex_places.h"

namespace nm {
Result<Regex> Regex::compile(std::string_view pattern) {
  Regex regex;
  RegexParser parser(pattern, regex.sets_);
  NM_TRY(parser.parse(regex.program_));
  return regex;
}

bool Regex::matches(std::string_view text) const {
  Places places[2] = {Places(program_), Places(program_)};
  Places* now = &places[0];
  Places* next = &places[1];
  size_t at = 0;
  int32_t c = next_character(text, at);
  now->enter(0, kNoCharacter, c);
  while (c != kNoCharacter) {
    if (c < 0 || now->sets().empty()) return false;
    const int32_t after = next_character(text, at);
    next->clear();
    for (const int32_t p : now->sets()) {
      const auto at_set = static_cast<size_t>(p);
      if (contains(sets_[static_cast<size_t>(program_[at_set].a)], c)) next->enter(at_set + 1, c, after);
    }
    std::swap(now, next);
    c = after;
  }
  return now->ended();
}

}  // namespace nm
