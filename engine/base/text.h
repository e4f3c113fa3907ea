// Text from parts: text("expected rank ", 4, ", got ", rank). For error sentences and JSON, not for speed.
#pragma once
#include <concepts>
#include <string>
#include <string_view>

namespace nm {

namespace detail {
// A name of any length must not push the rest of a sentence out of sight.
inline constexpr size_t kLongestPart = 4096;
inline void append(std::string& out, std::string_view part) {
  out += part.substr(0, kLongestPart);
  if (part.size() > kLongestPart) out += "…";
}
inline void append(std::string& out, const char* part) { append(out, std::string_view(part)); }
inline void append(std::string& out, char part) { out += part; }
template <std::integral T>
void append(std::string& out, T part) {
  if constexpr (std::same_as<T, bool>) {
    out += part ? "true" : "false";
  } else {
    out += std::to_string(part);
  }
}
// Shortest of the forms that read well; enough digits to tell float32 values apart.
void append(std::string& out, double part);
}  // namespace detail

template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

}  // namespace nm
