// From a pattern to the program of a Regex.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/regex.h"

namespace nm {

class RegexParser {
 public:
  // Sets of characters are appended to `sets`.
  RegexParser(std::string_view pattern, std::vector<Regex::Set>& sets) : pattern_(pattern), sets_(sets) {}

  Status parse(Regex::Program& program);

 private:
  using Program = Regex::Program;
  struct Flags {
    bool ignore_case = false;
    bool lines = false;  // ^ and $ also stand at the ends of lines
    bool dot_newline = false;
  };
  struct Count {
    int64_t least, most;  // most < 0: no limit
  };

  // Each appends to `out`; the flags are those of the group that is open.
  Status alternatives(Program& out, Flags flags, int depth);
  Status sequence(Program& out, Flags& flags, int depth);
  Status atom(Program& out, Flags& flags, int depth, bool& repeatable);
  Status group(Program& out, Flags& flags, int depth, bool& repeatable);
  Status escape(Program& out, const Flags& flags);

  Status char_class(Regex::Set& set, const Flags& flags);
  // \d and the like, [:alpha:]: appends to `set` and returns true where one begins here.
  bool named_class(Regex::Set& set);
  Result<int32_t> escaped_character();
  Result<int32_t> hexadecimal();
  std::optional<Count> quantifier();
  Status repeat(const Program& piece, Count count, Program& out);

  void add_set(Program& out, Regex::Set set, const Flags& flags);
  Status add(Program& out, const Program& piece);
  bool at_end() const { return at_ >= pattern_.size(); }
  bool next_is(std::string_view what) const { return pattern_.substr(at_).starts_with(what); }
  bool take(std::string_view what) {
    if (!next_is(what)) return false;
    at_ += what.size();
    return true;
  }
  Result<int32_t> character();
  Status wrong(std::string_view why) const;

  std::string_view pattern_;
  size_t at_ = 0;
  bool quoting_ = false;  // between \Q and \E
  std::vector<Regex::Set>& sets_;
};

// Sets of characters.
void normalize(Regex::Set& set);  // into sorted, disjoint ranges
void complement(Regex::Set& set);
void add_other_cases(Regex::Set& set);

}  // namespace nm
