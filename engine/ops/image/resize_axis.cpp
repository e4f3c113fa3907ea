#include "engine/ops/image/resize_axis.h"

#include <algorithm>
#include <cmath>

namespace nm {
namespace {

double cubic(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

bool takes_right(NearestMode mode, double ratio) {
  if (ratio == 1) return true;
  switch (mode) {
    case NearestMode::RoundPreferFloor:
      return ratio > 0.5;
    case NearestMode::RoundPreferCeil:
      return ratio >= 0.5;
    case NearestMode::Floor:
      return false;
    case NearestMode::Ceil:
      return true;
  }
  return false;
}

}  // namespace

template <class T>
T ResizeAxis::source_as(Coordinates coordinates, int64_t index) const {
  const auto i = static_cast<T>(index), width = static_cast<T>(in), step = static_cast<T>(scale);
  const T out_width = from_sizes ? static_cast<T>(out) : step * width, half = 0.5;
  const auto begin = static_cast<T>(roi_start), end = static_cast<T>(roi_end);
  switch (coordinates) {
    case Coordinates::HalfPixel:
      return (i + half) / step - half;
    case Coordinates::HalfPixelSymmetric:
      return width / 2 * (1 - static_cast<T>(out) / out_width) + (i + half) / step - half;
    case Coordinates::PytorchHalfPixel:
      return out == 1 ? 0 : (i + half) / step - half;
    case Coordinates::AlignCorners:  // the corners are those of the image that is made, whatever the scale says
      return out == 1 ? 0 : i * (width - 1) / static_cast<T>(out - 1);
    case Coordinates::Asymmetric:
      return i / step;
    case Coordinates::TfHalfPixelForNn:
      return (i + half) / step;
    case Coordinates::TfCropAndResize:
      if (out == 1) return (begin + end) * (width - 1) / 2;
      return begin * (width - 1) + i * (end - begin) * (width - 1) / static_cast<T>(out - 1);
  }
  return 0;
}

// Where cell `i` lies, from the two sizes alone: one division, so that a tie is one.
double ResizeAxis::source_of_sizes(Coordinates coordinates, int64_t i) const {
  const auto center = static_cast<double>(2 * i + 1), at = static_cast<double>(i);
  const auto width = static_cast<double>(in), out_width = static_cast<double>(out);
  switch (coordinates) {
    case Coordinates::PytorchHalfPixel:
      if (out == 1) return 0;
      [[fallthrough]];
    case Coordinates::HalfPixel:
    case Coordinates::HalfPixelSymmetric:
      return (center * width - out_width) / (2 * out_width);
    case Coordinates::Asymmetric:
      return at * width / out_width;
    case Coordinates::TfHalfPixelForNn:
      return center * width / (2 * out_width);
    case Coordinates::AlignCorners:
    case Coordinates::TfCropAndResize:
      break;
  }
  return source_as<double>(coordinates, i);
}

double ResizeAxis::source(const ResizeRules& rules, int64_t i) const {
  // The nearest cell is often a tie. With sizes it is decided exactly. A scale has been rounded already: there others
  // decide by float arithmetic, and being more exact would only be different.
  if (rules.mode == ResizeMode::Nearest && from_sizes) return source_of_sizes(rules.coordinates, i);
  if (rules.mode == ResizeMode::Nearest) return static_cast<double>(source_as<float>(rules.coordinates, i));
  return source_as<double>(rules.coordinates, i);
}

int64_t ResizeAxis::taps(const ResizeRules& rules) const {
  if (rules.mode == ResizeMode::Nearest) return 1;
  const int64_t reach = rules.mode == ResizeMode::Linear ? 1 : 2;  // input cells to either side
  if (!rules.antialias || scale >= 1) return 2 * reach;
  // A filter wider than the image has no more to say than one that covers it from any place.
  const double start = std::floor(-static_cast<double>(reach) / scale) + 1;
  return 2 * (reach - static_cast<int64_t>(std::max(start, -2.0 * static_cast<double>(in) - 2)));
}

void ResizeAxis::tap(const ResizeRules& rules, int64_t i, int32_t* indices, double* weights) const {
  // Far outside everything is the border, however far; and a NaN must not become an index.
  const double limit = static_cast<double>(in) * 4 + 8, raw = source(rules, i);
  const double x = raw >= -limit ? std::min(raw, limit) : -limit;
  // The cell to the left, and how far behind it: more than 0, up to 1.
  const double left = std::ceil(x) - 1, ratio = x - left;
  const auto inside = [&](double at) { return static_cast<int32_t>(std::clamp(at, 0.0, static_cast<double>(in - 1))); };
  if (rules.mode == ResizeMode::Nearest) {
    indices[0] = inside(takes_right(rules.nearest, ratio) ? left + 1 : left);
    return;
  }
  const int64_t n = taps(rules);
  const double filter_scale = rules.antialias ? std::min(scale, 1.0) : 1;
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) {
    const auto offset = static_cast<double>(k + 1 - n / 2);
    const double distance = (offset - ratio) * filter_scale, at = left + offset;
    double w =
        rules.mode == ResizeMode::Linear ? std::max(0.0, 1 - std::abs(distance)) : cubic(distance, rules.cubic_a);
    if (rules.exclude_outside && (at < 0 || at >= static_cast<double>(in))) w = 0;
    indices[k] = inside(at);
    weights[k] = w;
    sum += w;
  }
  const bool uneven = rules.antialias || rules.exclude_outside;
  for (int64_t k = 0; uneven && sum != 0 && k < n; ++k) weights[k] /= sum;
}

}  // namespace nm
