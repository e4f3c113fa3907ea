// What the caller did wrong, as an HTTP status and a sentence, in place of what was asked for.
#pragma once
#include <string>
#include <variant>

namespace digits {

struct Refusal {
  int status;
  std::string message;
};

template <class T>
using OrRefusal = std::variant<T, Refusal>;

}  // namespace digits
