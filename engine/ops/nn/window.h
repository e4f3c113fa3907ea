// Windows that slide over images: the geometry that convolutions and pools share.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/op/operator.h"

namespace nm {

inline constexpr int kMaxSpatial = kMaxRank - 2;

// One spatial axis. `in` and `out` are negative while unknown.
struct WindowAxis {
  int64_t in = -1, out = -1;
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t pad_begin = 0, pad_end = 0;
  int64_t extent() const { return (kernel - 1) * dilation + 1; }  // cells from the first tap to the last
};

struct Window {
  int rank = 0;
  std::array<WindowAxis, kMaxSpatial> axes;

  const WindowAxis& operator[](int i) const { return axes[static_cast<size_t>(i)]; }
  WindowAxis& operator[](int i) { return axes[static_cast<size_t>(i)]; }
  std::array<int64_t, kMaxSpatial> out_dims() const;
  int64_t in_pixels() const;
  int64_t out_pixels() const;
  int64_t taps() const;
};

enum class AutoPad : uint8_t { None, SameUpper, SameLower, Valid };

// kernel_shape, strides, pads, dilations, auto_pad and ceil_mode as the node gives them.
struct WindowAttributes {
  explicit WindowAttributes(Attributes& a);

  // The axes with their attributes for an operator with `rank` spatial axes; sizes and automatic pads are left open.
  // `kernel` overrides an absent kernel_shape and must agree with one that is there; empty: kernel_shape is required.
  Result<Window> axes(int rank, std::span<const int64_t> kernel) const;
  // The whole geometry for images of these spatial dimensions (negative: unknown).
  Result<Window> resolve(std::span<const int64_t> in, std::span<const int64_t> kernel) const;

  std::vector<int64_t> kernel, strides, pads, dilations;
  AutoPad auto_pad = AutoPad::None;
  bool ceil_mode = false;
};

// Calls body(index) for the indices of a box in row-major order; `index` has one entry per dim.
template <class F>
void for_each_index(std::span<const int64_t> dims, F body) {
  std::array<int64_t, kMaxSpatial> index{};
  for (const int64_t d : dims) {
    if (d <= 0) return;
  }
  while (true) {
    body(index);
    size_t i = dims.size();
    while (i > 0 && ++index[i - 1] == dims[i - 1]) index[--i] = 0;
    if (i == 0) return;
  }
}

}  // namespace nm
