#include "demo/edge/cpp/pictures/png.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "demo/edge/cpp/pictures/inflate.h"

namespace digits {
namespace {

constexpr size_t kHeaderBytes = 33;  // the signature and the first chunk
constexpr int kIndexed = 3;

Refusal undecodable(const char* why) { return {400, std::string("The PNG file cannot be decoded: ") + why + "."}; }

uint32_t number(const uint8_t* at) {
  return static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 | static_cast<uint32_t>(at[2]) << 8 |
         at[3];
}

uint32_t crc(std::span<const uint8_t> bytes) {
  static constexpr auto table = [] {
    std::array<uint32_t, 256> entries{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320 : value >> 1;
      entries[i] = value;
    }
    return entries;
  }();
  uint32_t value = 0xffffffff;
  for (const uint8_t byte : bytes) value = table[(value ^ byte) & 255] ^ value >> 8;
  return ~value;
}

struct Header {
  uint32_t width;
  uint32_t height;
  int depth;  // bits of a channel, or of an index into the palette
  int colour;
  bool interlaced;

  int samples() const { return std::array{1, 0, 3, 1, 2, 0, 4}[colour]; }
  size_t pixel_bytes() const { return std::max(1, depth * samples() / 8); }
  size_t row_bytes(uint32_t pixels) const { return (size_t{pixels} * depth * samples() + 7) / 8; }
};

// nullptr, or what is wrong.
const char* check(const Header& header, const uint8_t* methods) {
  const bool whole_bytes = header.depth == 8 || header.depth == 16;
  const bool few_bits = header.depth == 1 || header.depth == 2 || header.depth == 4;
  const bool colour = header.colour <= 6 && header.samples() != 0;
  const bool depth = header.colour == kIndexed ? few_bits || header.depth == 8
                     : header.colour == 0      ? few_bits || whole_bytes
                                               : whole_bytes;
  if (!colour || !depth) return "there is no such kind of PNG file";
  if (methods[0] != 0 || methods[1] != 0 || methods[2] > 1) return "it is compressed in a way that is not known";
  return header.width == 0 || header.height == 0 ? "it has no pixels" : nullptr;
}

struct Chunks {
  std::vector<uint8_t> data;
  std::span<const uint8_t> palette;
  std::span<const uint8_t> opacities;
};

// nullptr, or what is wrong.
const char* read_chunks(std::span<const uint8_t> file, Chunks& chunks) {
  for (size_t at = 8;;) {
    if (file.size() - at < 12) return "it is cut off";
    const size_t length = number(&file[at]);
    if (length > file.size() - at - 12) return "it is cut off";
    const auto body = file.subspan(at + 8, length);
    if (crc(file.subspan(at + 4, length + 4)) != number(&file[at + 8 + length])) return "a checksum is another";
    const auto is = [&](const char* name) { return std::memcmp(&file[at + 4], name, 4) == 0; };
    if (is("IEND")) return nullptr;
    if (is("IDAT")) chunks.data.insert(chunks.data.end(), body.begin(), body.end());
    if (is("PLTE")) chunks.palette = body;
    if (is("tRNS")) chunks.opacities = body;
    at += 12 + length;
  }
}

// Every `dx`-th pixel of every `dy`-th row, from (x, y) on.
struct Pass {
  uint32_t x, y, dx, dy;

  static uint32_t steps(uint32_t size, uint32_t from, uint32_t by) {
    return size <= from ? 0 : (size - from + by - 1) / by;
  }
  uint32_t width(const Header& header) const { return steps(header.width, x, dx); }
  uint32_t height(const Header& header) const { return width(header) == 0 ? 0 : steps(header.height, y, dy); }
};

std::span<const Pass> passes(const Header& header) {
  static constexpr std::array<Pass, 1> whole = {{{0, 0, 1, 1}}};
  static constexpr std::array<Pass, 7> interlaced = {
      {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
  if (header.interlaced) return interlaced;
  return whole;
}

uint8_t paeth(int left, int above, int corner) {
  const int estimate = left + above - corner;
  const int from_left = std::abs(estimate - left);
  const int from_above = std::abs(estimate - above);
  const int from_corner = std::abs(estimate - corner);
  if (from_left <= from_above && from_left <= from_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(from_above <= from_corner ? above : corner);
}

// Undoes the filter of a row; false when there is none of that number. `above` is as long, or empty for the first row.
bool unfilter(int filter, std::span<uint8_t> row, std::span<const uint8_t> above, size_t pixel_bytes) {
  for (size_t i = 0; i < row.size(); ++i) {
    const int left = i < pixel_bytes ? 0 : row[i - pixel_bytes];
    const int up = above.empty() ? 0 : above[i];
    const int corner = above.empty() || i < pixel_bytes ? 0 : above[i - pixel_bytes];
    switch (filter) {
      case 0:
        return true;
      case 1:
        row[i] += left;
        break;
      case 2:
        row[i] += up;
        break;
      case 3:
        row[i] += (left + up) / 2;
        break;
      case 4:
        row[i] += paeth(left, up, corner);
        break;
      default:
        return false;
    }
  }
  return true;
}

uint16_t sample(const uint8_t* row, int depth, size_t index) {
  if (depth == 16) return static_cast<uint16_t>(row[2 * index] << 8 | row[2 * index + 1]);
  const size_t bit = index * depth;
  return row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1);
}

// nullptr, or what is wrong.
const char* read_rows(const Header& header, std::span<const uint8_t> compressed, Pixels& pixels) {
  size_t size = 0;
  for (const Pass& pass : passes(header)) {
    size += pass.height(header) * (1 + header.row_bytes(pass.width(header)));
  }
  std::vector<uint8_t> data(size);
  if (const char* wrong = inflate(compressed, data)) return wrong;
  const int samples = header.samples();
  pixels.values.resize(size_t{header.width} * header.height * samples);
  uint8_t* at = data.data();
  for (const Pass& pass : passes(header)) {
    const uint32_t width = pass.width(header);
    const size_t bytes = header.row_bytes(width);
    std::span<const uint8_t> above;
    for (uint32_t y = 0; y < pass.height(header); ++y) {
      const std::span<uint8_t> row(at + 1, bytes);
      if (!unfilter(*at, row, above, header.pixel_bytes())) return "there is no such filter";
      for (uint32_t x = 0; x < width; ++x) {
        const size_t pixel = size_t{pass.y + y * pass.dy} * header.width + pass.x + x * pass.dx;
        for (int s = 0; s < samples; ++s) {
          pixels.values[pixel * samples + s] = sample(row.data(), header.depth, size_t{x} * samples + s);
        }
      }
      above = row;
      at += 1 + bytes;
    }
  }
  return nullptr;
}

// Colours in place of indices; with opacity where the file has it. nullptr, or what is wrong.
const char* look_up(const Chunks& chunks, Pixels& pixels) {
  const size_t colours = chunks.palette.size() / 3;
  const int channels = chunks.opacities.empty() ? 3 : 4;
  std::vector<uint16_t> values;
  values.reserve(pixels.values.size() * channels);
  for (const uint16_t index : pixels.values) {
    if (index >= colours) return "a colour is not in its palette";
    for (int c = 0; c < 3; ++c) values.push_back(chunks.palette[3 * index + c]);
    if (channels == 4) values.push_back(index < chunks.opacities.size() ? chunks.opacities[index] : 255);
  }
  pixels.channels = channels;
  pixels.values = std::move(values);
  return nullptr;
}

}  // namespace

OrRefusal<Pixels> decode_png(std::span<const uint8_t> file, size_t most_pixels) {
  constexpr uint8_t begin[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  if (file.size() < kHeaderBytes || std::memcmp(file.data(), begin, sizeof begin) != 0) {
    return Refusal{400, "This is no PNG file."};
  }
  const uint8_t* said = &file[sizeof begin];
  const Header header = {number(said), number(said + 4), said[8], said[9], said[12] == 1};
  if (uint64_t{header.width} * header.height > most_pixels) {
    return Refusal{413, "The picture has " + std::to_string(header.width) + " × " + std::to_string(header.height) +
                            " pixels; up to " + std::to_string(most_pixels) + " are taken."};
  }
  if (const char* wrong = check(header, said + 10)) return undecodable(wrong);
  Chunks chunks;
  if (const char* wrong = read_chunks(file, chunks)) return undecodable(wrong);
  if (header.colour == 0 && header.depth < 8) {
    return Refusal{415, "The PNG file has " + std::to_string(header.depth) + " bits a channel; 8 and 16 are taken."};
  }
  Pixels pixels = {header.width, header.height, header.samples(), header.depth == 16 ? 65535 : 255, {}};
  const char* wrong = read_rows(header, chunks.data, pixels);
  if (wrong == nullptr && header.colour == kIndexed) wrong = look_up(chunks, pixels);
  if (wrong != nullptr) return undecodable(wrong);
  return pixels;
}

}  // namespace digits
