// Reading UTF-8 that may be damaged.
#pragma once
#include <cstdint>
#include <string_view>

namespace nm {

inline constexpr int32_t kNoCharacter = -1;   // behind the end
inline constexpr int32_t kBadCharacter = -2;  // not UTF-8
inline constexpr int32_t kLastCharacter = 0x10FFFF;

// The character at `at`, which moves behind it.
inline int32_t next_character(std::string_view text, size_t& at) {
  if (at >= text.size()) return kNoCharacter;
  const auto lead = static_cast<uint8_t>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < static_cast<size_t>(more)) return kBadCharacter;
  int32_t c = lead & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    const auto byte = static_cast<uint8_t>(text[at++]);
    if ((byte & 0xC0) != 0x80) return kBadCharacter;
    c = c << 6 | (byte & 0x3F);
  }
  constexpr int32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
  return c < kLeast[more] || c > kLastCharacter || surrogate ? kBadCharacter : c;
}

}  // namespace nm
