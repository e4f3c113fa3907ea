#include "engine/passes/pattern_text.h"

#include <algorithm>
#include <cctype>

#include "engine/base/number_text.h"

namespace nm {

bool Expression::skip(char c) {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
  if (rest_.empty() || rest_[0] != c) return false;
  rest_.remove_prefix(1);
  return true;
}

std::string_view Expression::word() {
  const std::string_view found = rest_.substr(0, rest_.find_first_of(" ,:()|{}"));
  rest_.remove_prefix(found.size());
  return found;
}

void Expression::parse_children(Term& t, char separator, char end) {
  while (!skip(end)) {
    t.children.push_back(parse());
    skip(separator);
  }
}

uint32_t Expression::parse() {
  Term t;
  if (skip('{')) {
    t.kind = Term::Kind::Either;
    parse_children(t, '|', '}');
  } else if (skip('#')) {
    t.kind = Term::Kind::AnyNumber;
    t.name = word();
  } else {
    const std::string_view first = word();
    if (std::isdigit(static_cast<unsigned char>(first[0])) || first[0] == '-') {
      t.kind = Term::Kind::Number;
      double number = 0;
      parse_real(std::string(first), number);
      t.number = static_cast<float>(number);
    } else {
      t.name = first;
      if (skip(':')) t.op = word();
      if (skip('(')) {
        if (t.op.empty()) std::swap(t.op, t.name);
        t.kind = Term::Kind::Op;
        parse_children(t, ',', ')');
      }
    }
  }
  terms_.push_back(std::move(t));
  return whole();
}

}  // namespace nm
