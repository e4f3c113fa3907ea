#include "engine/base/regex_parser.h"

#include <algorithm>
#include <string>

#include "engine/base/text.h"
#include "engine/base/utf8.h"

namespace nm {
namespace {

constexpr size_t kMaxInstructions = 20000;
constexpr int kMaxDepth = 200;
constexpr int64_t kMaxCount = 1000;  // RE2's own

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

int32_t offset(size_t from, size_t to) { return static_cast<int32_t>(to) - static_cast<int32_t>(from); }

}  // namespace

Status RegexParser::wrong(std::string_view why) const {
  return {Code::InvalidModel, text("the regular expression '", pattern_, "' is wrong at position ", at_, ": ", why)};
}

Status RegexParser::parse(Program& program) {
  NM_TRY(alternatives(program, {}, 0));
  return at_end() ? Status() : wrong("there is a ')' too many");
}

Status RegexParser::add(Program& out, const Program& piece) {
  if (out.size() + piece.size() > kMaxInstructions) {
    return wrong(text("it has more than ", kMaxInstructions, " steps; repeat less"));
  }
  out.insert(out.end(), piece.begin(), piece.end());
  return {};
}

void RegexParser::add_set(Program& out, Regex::Set set, const Flags& flags) {
  if (flags.ignore_case) add_other_cases(set);
  normalize(set);
  out.push_back({Regex::Kind::Set, static_cast<int32_t>(sets_.size())});
  sets_.push_back(std::move(set));
}

Status RegexParser::alternatives(Program& out, Flags flags, int depth) {
  if (depth > kMaxDepth) return wrong("its groups are nested too deeply");
  std::vector<size_t> jumps;  // behind each alternative, to the end
  while (true) {
    Program piece;
    NM_TRY(sequence(piece, flags, depth));
    const bool more = take("|");
    if (more) {
      out.push_back({Regex::Kind::Split, 1, static_cast<int32_t>(piece.size()) + 2});
      piece.push_back({Regex::Kind::Jump});
    }
    NM_TRY(add(out, piece));
    if (!more) break;
    jumps.push_back(out.size() - 1);
  }
  for (const size_t j : jumps) out[j].a = offset(j, out.size());
  return {};
}

Status RegexParser::sequence(Program& out, Flags& flags, int depth) {
  while (!at_end() && (quoting_ || (!next_is("|") && !next_is(")")))) {
    if (!quoting_ && take("\\Q")) {
      quoting_ = !take("\\E");
      continue;
    }
    Program piece;
    bool repeatable = true;
    if (quoting_) {
      NM_ASSIGN(const int32_t c, character());
      add_set(piece, {{c, c}}, flags);
      quoting_ = !take("\\E");
    } else {
      NM_TRY(atom(piece, flags, depth, repeatable));
    }
    const auto count = quoting_ ? std::nullopt : quantifier();
    if (!count) {
      NM_TRY(add(out, piece));
      continue;
    }
    if (!repeatable) return wrong("there is nothing to repeat");
    if (count->most >= 0 && count->most < count->least) return wrong("the least count is larger than the largest");
    if (std::max(count->least, count->most) > kMaxCount) return wrong("a count is larger than 1000");
    take("?");  // that a shorter match is preferred makes no difference to whole matches
    if (const size_t at = at_; quantifier()) {
      at_ = at;
      return wrong("a repetition is repeated; put it in a group");
    }
    NM_TRY(repeat(piece, *count, out));
  }
  return {};
}

std::optional<RegexParser::Count> RegexParser::quantifier() {
  if (take("*")) return Count{0, -1};
  if (take("+")) return Count{1, -1};
  if (take("?")) return Count{0, 1};
  const size_t start = at_;
  const auto number = [&]() -> int64_t {
    int64_t n = -1;
    for (; !at_end() && is_digit(pattern_[at_]); ++at_) {
      n = std::min<int64_t>((n < 0 ? 0 : n) * 10 + (pattern_[at_] - '0'), kMaxCount + 1);
    }
    return n;
  };
  if (take("{")) {
    Count c{number(), 0};
    c.most = c.least;
    if (take(",")) c.most = number();
    if (c.least >= 0 && take("}")) return c;
  }
  at_ = start;  // a brace that stands for itself
  return std::nullopt;
}

Status RegexParser::repeat(const Program& piece, Count count, Program& out) {
  const auto size = static_cast<int32_t>(piece.size());
  for (int64_t i = 0; i < count.least; ++i) NM_TRY(add(out, piece));
  if (count.most < 0) {
    if (count.least > 0) {  // the last one once more
      out.push_back({Regex::Kind::Split, -size, 1});
    } else {
      out.push_back({Regex::Kind::Split, 1, size + 2});
      NM_TRY(add(out, piece));
      out.push_back({Regex::Kind::Jump, -size - 1});
    }
  }
  for (int64_t i = count.least; i < count.most; ++i) {
    out.push_back({Regex::Kind::Split, 1, size + 1});
    NM_TRY(add(out, piece));
  }
  return {};
}

Status RegexParser::atom(Program& out, Flags& flags, int depth, bool& repeatable) {
  if (take("(")) return group(out, flags, depth, repeatable);
  if (take("\\")) return escape(out, flags);
  if (take("^")) {
    out.push_back({flags.lines ? Regex::Kind::LineStart : Regex::Kind::TextStart});
    return {};
  }
  if (take("$")) {
    out.push_back({flags.lines ? Regex::Kind::LineEnd : Regex::Kind::TextEnd});
    return {};
  }
  Regex::Set set;
  if (take(".")) {
    set = {{0, flags.dot_newline ? kLastCharacter : '\n' - 1}};
    if (!flags.dot_newline) set.push_back({'\n' + 1, kLastCharacter});
    add_set(out, std::move(set), {});
    return {};
  }
  if (take("[")) {
    NM_TRY(char_class(set, flags));
    add_set(out, std::move(set), {});
    return {};
  }
  if (quantifier()) return wrong("there is nothing to repeat");
  NM_ASSIGN(const int32_t c, character());
  add_set(out, {{c, c}}, flags);
  return {};
}

Status RegexParser::group(Program& out, Flags& flags, int depth, bool& repeatable) {
  Flags inner = flags;
  if (take("?")) {
    if (take("P<") || take("<")) {
      const size_t start = at_;
      while (!at_end() && (is_letter(pattern_[at_]) || is_digit(pattern_[at_]) || pattern_[at_] == '_')) ++at_;
      if (at_ == start || !take(">")) return wrong("a group's name must be letters, digits and underscores");
    } else {
      bool on = true;
      while (!take(":")) {
        if (take(")")) {  // for the rest of the group around
          flags = inner;
          repeatable = false;
          return {};
        }
        if (take("-")) {
          if (!on) return wrong("'-' is there twice");
          on = false;
        } else if (take("i")) {
          inner.ignore_case = on;
        } else if (take("m")) {
          inner.lines = on;
        } else if (take("s")) {
          inner.dot_newline = on;
        } else if (!take("U")) {
          return wrong("this kind of group is not known");
        }
      }
    }
  }
  NM_TRY(alternatives(out, inner, depth + 1));
  return take(")") ? Status() : wrong("a ')' is missing");
}

Status RegexParser::escape(Program& out, const Flags& flags) {
  struct Edge {
    std::string_view name;
    Regex::Kind kind;
  };
  constexpr Edge kEdges[] = {{"A", Regex::Kind::TextStart},
                             {"z", Regex::Kind::TextEnd},
                             {"b", Regex::Kind::WordEdge},
                             {"B", Regex::Kind::NoWordEdge}};
  for (const Edge& edge : kEdges) {
    if (!take(edge.name)) continue;
    out.push_back({edge.kind});
    return {};
  }
  --at_;
  Regex::Set set;
  if (named_class(set)) {
    add_set(out, std::move(set), {});
    return {};
  }
  ++at_;
  NM_ASSIGN(const int32_t c, escaped_character());
  add_set(out, {{c, c}}, flags);
  return {};
}

Result<int32_t> RegexParser::character() {
  const int32_t c = next_character(pattern_, at_);
  if (c == kNoCharacter) return wrong("it ends too early");
  if (c == kBadCharacter) return wrong("it is not UTF-8");
  return c;
}

Result<int32_t> RegexParser::escaped_character() {
  NM_ASSIGN(const int32_t c, character());
  constexpr std::string_view kNames = "afnrtv";
  constexpr char kMeanings[] = {'\a', '\f', '\n', '\r', '\t', '\v'};
  if (c >= 0x80) return wrong("this escape is not known");
  const char ch = static_cast<char>(c);
  if (const size_t i = kNames.find(ch); i != std::string_view::npos) return kMeanings[i];
  if (ch == 'x') return hexadecimal();
  if (ch == 'p' || ch == 'P' || ch == 'C') {
    return Status(Code::UnsupportedOperator, text("the regular expression '", pattern_, "' has \\", ch,
                                                  ", which is not supported; write the characters as ranges"));
  }
  if (is_digit(ch)) {
    const bool octal = is_octal(ch) && (ch == '0' || (!at_end() && is_octal(pattern_[at_])));
    if (!octal) return wrong("references to groups are not part of RE2's syntax");
    int32_t value = ch - '0';
    for (int i = 0; i < 2 && !at_end() && is_octal(pattern_[at_]); ++i) value = value * 8 + (pattern_[at_++] - '0');
    return value;
  }
  if (is_letter(ch)) return wrong(text("the escape \\", ch, " is not known"));
  return c;
}

Result<int32_t> RegexParser::hexadecimal() {
  const bool braces = take("{");
  int32_t value = 0;
  int digits = 0;
  for (; !at_end() && value <= kLastCharacter && (braces || digits < 2); ++at_, ++digits) {
    const char ch = pattern_[at_];
    const char low = static_cast<char>(ch | 0x20);
    if (is_digit(ch)) {
      value = value * 16 + (ch - '0');
    } else if (low >= 'a' && low <= 'f') {
      value = value * 16 + (low - 'a' + 10);
    } else {
      break;
    }
  }
  const bool whole = braces ? digits > 0 && take("}") : digits == 2;
  if (!whole || value > kLastCharacter) return wrong("\\x wants two digits, or up to 10FFFF in braces");
  return value;
}

bool RegexParser::named_class(Regex::Set& set) {
  struct Named {
    std::string_view name;
    std::string_view ranges;  // pairs of first and last characters
  };
  constexpr Named kNames[] = {
      {"\\d", "09"},
      {"\\s", "\t\n\f\r  "},
      {"\\w", "09AZ__az"},
      {"[:alnum:]", "09AZaz"},
      {"[:alpha:]", "AZaz"},
      {"[:ascii:]", {"\0\x7f", 2}},
      {"[:blank:]", "\t\t  "},
      {"[:cntrl:]", {"\0\x1f\x7f\x7f", 4}},
      {"[:digit:]", "09"},
      {"[:graph:]", "!~"},
      {"[:lower:]", "az"},
      {"[:print:]", " ~"},
      {"[:punct:]", "!/:@[`{~"},
      {"[:space:]", "\t\r  "},
      {"[:upper:]", "AZ"},
      {"[:word:]", "09AZ__az"},
      {"[:xdigit:]", "09AFaf"},
  };
  for (const Named& n : kNames) {
    std::string inverse(n.name);
    if (inverse.size() == 2) {
      inverse[1] = static_cast<char>(inverse[1] - 'a' + 'A');
    } else {
      inverse.insert(2, "^");
    }
    const bool inverted = take(inverse);
    if (!inverted && !take(n.name)) continue;
    Regex::Set ranges;
    for (size_t i = 0; i < n.ranges.size(); i += 2) ranges.push_back({n.ranges[i], n.ranges[i + 1]});
    if (inverted) complement(ranges);
    set.insert(set.end(), ranges.begin(), ranges.end());
    return true;
  }
  return false;
}

Status RegexParser::char_class(Regex::Set& set, const Flags& flags) {
  const bool inverted = take("^");
  for (bool first = true; first || !next_is("]"); first = false) {
    if (at_end()) return wrong("a ']' is missing");
    if (named_class(set)) continue;
    if (next_is("[:")) return wrong("this class of characters is not known");
    const auto one = [&]() { return take("\\") ? escaped_character() : character(); };
    NM_ASSIGN(const int32_t low, one());
    int32_t high = low;
    if (next_is("-") && !pattern_.substr(at_).starts_with("-]")) {
      take("-");
      NM_ASSIGN(high, one());
      if (high < low) return wrong("a range of characters is the wrong way around");
    }
    set.push_back({low, high});
  }
  take("]");
  if (flags.ignore_case) add_other_cases(set);
  normalize(set);
  if (inverted) complement(set);
  return {};
}

}  // namespace nm
