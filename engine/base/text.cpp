#include "engine/base/text.h"

#include <charconv>

namespace nm::detail {

void append(std::string& out, double part) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(part));
  out.append(buffer, error == std::errc() ? end : buffer);
}

}  // namespace nm::detail
