// Data compressed in the form of zlib (RFC 1950, RFC 1951).
#pragma once
#include <cstdint>
#include <span>

namespace digits {

// Fills `out`, whose size is known beforehand. Returns nullptr, or what is wrong with `in`: also when it holds more or
// less than that.
const char* inflate(std::span<const uint8_t> in, std::span<uint8_t> out);

}  // namespace digits
