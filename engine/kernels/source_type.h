// Element types that weights may have at rest; packing widens them to f32.
#pragma once
#include <cstdint>

namespace nm {

enum class SourceType : uint8_t { F32, F16, BF16 };

}  // namespace nm
