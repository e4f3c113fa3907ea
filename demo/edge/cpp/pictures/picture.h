// From a posted picture to the network's input: 28 by 28 pixels of ink, from 0 to 1 (demo/edge/shared/picture.js, with
// the same results to the last bit).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "demo/edge/cpp/pictures/refusal.h"

namespace digits {

inline constexpr int kSide = 28;

// One byte a pixel, 255 for ink. Their number is left to the engine, which says what it expected.
std::vector<float> ink_of_bytes(std::span<const uint8_t> bytes);

// A PNG file, dark on light or light on dark, of any size: what is drawn is brought into the middle.
OrRefusal<std::vector<float>> ink_of_png(std::span<const uint8_t> file);

}  // namespace digits
