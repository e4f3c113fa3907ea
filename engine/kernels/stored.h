// How a cache's rows lie in memory: as floats, or as narrower numbers, of which a scale for each row makes floats.
#pragma once
#include <cstdint>

namespace nm {

// Halves are finite: the scale of their row sees to that.
enum class Stored : uint8_t { F32, F16, I8 };

}  // namespace nm
