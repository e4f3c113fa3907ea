// The text of a pattern (see pattern.h), read into terms.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace nm {

struct Term {
  enum class Kind { Op, Name, Number, AnyNumber, Either };
  Kind kind = Kind::Name;
  std::string_view name;  // of the value; empty when it has none
  std::string_view op;
  float number = 0;
  std::vector<uint32_t> children;

  bool is_number() const { return kind == Kind::Number || kind == Kind::AnyNumber; }
};

// The terms of an expression; the last one is the whole. Expressions are constants of this program: they are not
// checked.
class Expression {
 public:
  explicit Expression(std::string_view text) : rest_(text) { parse(); }
  const Term& operator[](size_t i) const { return terms_[i]; }
  uint32_t whole() const { return static_cast<uint32_t>(terms_.size() - 1); }

 private:
  bool skip(char c);
  std::string_view word();
  void parse_children(Term& t, char separator, char end);
  uint32_t parse();

  std::string_view rest_;
  std::vector<Term> terms_;
};

}  // namespace nm
