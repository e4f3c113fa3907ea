// One axis of a Resize: where each output index lies in the input, and which input indices it is made of.
#pragma once
#include <cstdint>

#include "engine/op/operator.h"

namespace nm {

enum class ResizeMode : uint8_t { Nearest, Linear, Cubic };
enum class Coordinates : uint8_t {
  HalfPixel,
  HalfPixelSymmetric,
  PytorchHalfPixel,
  AlignCorners,
  Asymmetric,
  TfHalfPixelForNn,
  TfCropAndResize,
};
enum class NearestMode : uint8_t { RoundPreferFloor, RoundPreferCeil, Floor, Ceil };

struct ResizeRules {
  ResizeMode mode = ResizeMode::Nearest;
  Coordinates coordinates = Coordinates::HalfPixel;
  NearestMode nearest = NearestMode::RoundPreferFloor;
  bool antialias = false;
  bool exclude_outside = false;
  double cubic_a = -0.75;
};

struct ResizeAxis {
  int64_t in = 0, out = 0;
  double scale = 1;
  bool from_sizes = false;  // `out` was given, not the scale
  double roi_start = 0, roi_end = 1;

  bool changes(Coordinates coordinates) const {
    return in != out || scale != 1 || (coordinates == Coordinates::TfCropAndResize && (roi_start != 0 || roi_end != 1));
  }
  // The input coordinate of output index i.
  double source(const ResizeRules& rules, int64_t i) const;
  // Input indices that one output index is made of.
  int64_t taps(const ResizeRules& rules) const;
  // Writes `taps` indices, inside the input, and weights (not for Nearest) for output index i.
  void tap(const ResizeRules& rules, int64_t i, int32_t* indices, double* weights) const;

 private:
  double source_of_sizes(Coordinates coordinates, int64_t i) const;
  template <class T>
  T source_as(Coordinates coordinates, int64_t i) const;
};

}  // namespace nm
