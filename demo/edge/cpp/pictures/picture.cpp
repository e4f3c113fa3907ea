#include "demo/edge/cpp/pictures/picture.h"

#include <algorithm>
#include <cmath>

#include "demo/edge/cpp/pictures/png.h"

namespace digits {
namespace {

// The longer side of what is drawn, as in models/handwriting/train.py.
constexpr int kBox = 20;

// A few kilobytes may unpack to any number of pixels.
constexpr size_t kMostPixels = size_t{1} << 20;

struct Sheet {
  int width;
  int height;
  std::vector<float> ink;

  float at(int x, int y) const { return ink[static_cast<size_t>(y) * width + x]; }
};

// Whether the paper is light or dark is seen at the picture's edge.
double edge_mean(const Sheet& sheet) {
  double sum = 0;
  int count = 0;
  for (int y = 0; y < sheet.height; ++y) {
    const int step = y == 0 || y == sheet.height - 1 ? 1 : std::max(1, sheet.width - 1);
    for (int x = 0; x < sheet.width; x += step) {
      sum += sheet.at(x, y);
      count += 1;
    }
  }
  return sum / count;
}

// Grey from 0 to 1, black on white turned into ink.
Sheet ink_of(const Pixels& pixels) {
  Sheet sheet = {static_cast<int>(pixels.width), static_cast<int>(pixels.height), {}};
  const double most = pixels.most;
  const int colours = pixels.channels < 3 ? 1 : 3;
  sheet.ink.reserve(pixels.values.size() / pixels.channels);
  for (size_t at = 0; at < pixels.values.size(); at += pixels.channels) {
    double grey = 0;
    for (int c = 0; c < colours; ++c) grey += pixels.values[at + c] / (colours * most);
    // What is transparent is paper.
    const double opacity = pixels.channels > colours ? pixels.values[at + colours] / most : 1;
    sheet.ink.push_back(static_cast<float>(1 - (opacity * grey + 1 - opacity)));
  }
  if (edge_mean(sheet) > 0.5) {
    for (float& value : sheet.ink) value = static_cast<float>(1 - double{value});
  }
  return sheet;
}

struct Bounds {
  int left, right, top, bottom;
};

Bounds bounds(const Sheet& sheet) {
  Bounds found = {sheet.width, 0, sheet.height, 0};
  for (int y = 0; y < sheet.height; ++y) {
    for (int x = 0; x < sheet.width; ++x) {
      if (double{sheet.at(x, y)} < 0.3) continue;
      found = {std::min(found.left, x), std::max(found.right, x + 1), std::min(found.top, y),
               std::max(found.bottom, y + 1)};
    }
  }
  return found;
}

// The mean ink of the square of this side at (x0, y0); outside of the picture there is none.
double mean(const Sheet& sheet, double x0, double y0, double side) {
  double sum = 0;
  for (int y = std::max(0, static_cast<int>(std::floor(y0))); y < std::min<double>(sheet.height, y0 + side); ++y) {
    const double tall = std::min(y + 1.0, y0 + side) - std::max<double>(y, y0);
    for (int x = std::max(0, static_cast<int>(std::floor(x0))); x < std::min<double>(sheet.width, x0 + side); ++x) {
      sum += sheet.at(x, y) * tall * (std::min(x + 1.0, x0 + side) - std::max<double>(x, x0));
    }
  }
  return sum / (side * side);
}

// The drawn part, scaled so that its longer side is `kBox`, in the middle of the frame.
std::vector<float> centred(const Sheet& sheet, const Bounds& drawn) {
  const double step = std::max(drawn.right - drawn.left, drawn.bottom - drawn.top) / double{kBox};
  std::vector<float> frame;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const double x0 = (drawn.left + drawn.right) / 2.0 + (x - kSide / 2) * step;
      const double y0 = (drawn.top + drawn.bottom) / 2.0 + (y - kSide / 2) * step;
      frame.push_back(static_cast<float>(mean(sheet, x0, y0, step)));
    }
  }
  return frame;
}

}  // namespace

std::vector<float> ink_of_bytes(std::span<const uint8_t> bytes) {
  std::vector<float> ink;
  ink.reserve(bytes.size());
  for (const uint8_t byte : bytes) ink.push_back(static_cast<float>(byte / 255.0));
  return ink;
}

OrRefusal<std::vector<float>> ink_of_png(std::span<const uint8_t> file) {
  const OrRefusal<Pixels> decoded = decode_png(file, kMostPixels);
  if (const auto* refusal = std::get_if<Refusal>(&decoded)) return *refusal;
  const Sheet sheet = ink_of(std::get<Pixels>(decoded));
  const Bounds drawn = bounds(sheet);
  if (drawn.right == 0) return Refusal{400, "Nothing is drawn on this picture."};
  return centred(sheet, drawn);
}

}  // namespace digits
