// Regular expressions in RE2's syntax over UTF-8 text, matched as a whole. Time grows with the product of text and
// pattern, memory with the pattern: there is no backtracking. Not there: \p{...}, \C and back references, which the
// compilation refuses by name. (?i) folds letters of the Latin, Greek, Cyrillic and Armenian scripts.
#pragma once
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"

namespace nm {

class Regex {
 public:
  // InvalidModel where the pattern is no regular expression or too large; UnsupportedOperator for what is not there.
  static Result<Regex> compile(std::string_view pattern);

  // Does the whole text match? Never for text that is not UTF-8.
  bool matches(std::string_view text) const;
  // Begins and ends of the longest matches from left to right, none of them empty. At text that is not UTF-8 matches
  // end.
  std::vector<std::pair<size_t, size_t>> all_matches(std::string_view text) const;

  // A set of characters: sorted, disjoint, inclusive ranges.
  struct Range {
    int32_t first, last;
  };
  using Set = std::vector<Range>;

  enum class Kind : uint8_t { Set, Split, Jump, TextStart, TextEnd, LineStart, LineEnd, WordEdge, NoWordEdge };
  // Targets count from the instruction itself, so that a piece of a program can be repeated as it is. A program ends
  // behind its last instruction.
  struct Instruction {
    Kind kind;
    int32_t a = 0;  // of Set: which; of Jump and Split: a target
    int32_t b = 0;  // of Split: the other target
  };
  using Program = std::vector<Instruction>;

 private:
  Program program_;
  std::vector<Set> sets_;
};

}  // namespace nm
