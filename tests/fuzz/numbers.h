// The integers at which arithmetic breaks, if it breaks.
#pragma once
#include <cstdint>

namespace nm::fuzz {

inline constexpr int64_t kExtremes[] = {
    INT64_MIN,
    INT64_MIN + 1,
    INT64_MAX,
    INT64_MAX - 1,
    INT32_MIN,
    INT32_MAX,
    int64_t{1} << 31,
    int64_t{1} << 32,
    UINT32_MAX,
    int64_t{1} << 30,
    int64_t{1} << 33,
    int64_t{1} << 61,
    int64_t{1} << 62,
    -(int64_t{1} << 62),
    int64_t{1} << 40,
    int64_t{1} << 20,
    65535,
    65536,
    32767,
    32768,
    255,
    256,
    127,
    128,
    -1,
    -2,
    0,
    1,
    1000,
    4096,
    -(int64_t{1} << 31) - 1,
    3,
};

}  // namespace nm::fuzz
