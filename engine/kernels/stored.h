// How a cache's rows lie in memory: as floats, or as narrower numbers, of which a scale for each row makes floats.
#pragma once
#include <cstdint>

namespace nm {

enum class Stored : uint8_t { F32, F16, I8 };

// Products with halves, which must be finite, take each to be this times its value: its bits are that float's then.
inline constexpr float kHalfUnit = 0x1p-112f;

}  // namespace nm
