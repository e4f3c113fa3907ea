#include "engine/base/number_text.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace nm {
namespace {

// What strtod and its kin leave behind must be blank, and they must have read something.
bool ends_blank(const std::string& text, const char* end) {
  if (end == text.c_str()) return false;
  while (*end == ' ' || *end == '\t' || *end == '\n' || *end == '\r') ++end;
  return end == text.c_str() + text.size();
}

}  // namespace

std::string real_text(double value, bool wide) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  // std::to_chars would do this in one call, but its tables weigh more than most folders of the engine in a wasm file.
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
    if (wide ? std::strtod(buffer, nullptr) == value : std::strtof(buffer, nullptr) == static_cast<float>(value)) break;
  }
  // Few digits make %g write large whole numbers as powers of ten.
  if (std::fabs(value) >= 10 && std::fabs(value) < 1e16 && std::strchr(buffer, 'e') != nullptr) {
    std::snprintf(buffer, sizeof buffer, "%.0f", value);
  }
  return buffer;
}

bool parse_real(const std::string& text, double& value) {
  char* end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return ends_blank(text, end);
}

bool parse_integer(const std::string& text, int64_t& value) {
  char* end = nullptr;
  errno = 0;
  value = std::strtoll(text.c_str(), &end, 10);
  if (errno == ERANGE && text.find('-') == std::string::npos) {  // may be an uint64
    errno = 0;
    value = static_cast<int64_t>(std::strtoull(text.c_str(), &end, 10));
  }
  return errno == 0 && ends_blank(text, end);
}

}  // namespace nm
