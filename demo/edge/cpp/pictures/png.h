// PNG files (https://www.w3.org/TR/png), still pictures of every kind but grey ones of fewer than 8 bits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "demo/edge/cpp/pictures/refusal.h"

namespace digits {

struct Pixels {
  uint32_t width = 0;
  uint32_t height = 0;
  int channels = 0;              // grey, grey and opacity, three colours, or three colours and opacity
  int most = 0;                  // the largest value of a channel
  std::vector<uint16_t> values;  // row by row, a pixel's channels beside each other
};

// Checksums are verified, colours of a palette looked up, interlaced pictures put together. A picture of more than
// `most_pixels` is refused before anything is unpacked.
OrRefusal<Pixels> decode_png(std::span<const uint8_t> file, size_t most_pixels);

}  // namespace digits
