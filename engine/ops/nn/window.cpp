#include "engine/ops/nn/window.h"

#include <algorithm>

namespace nm {
namespace {

// Larger than any sensible attribute, small enough that products of two and sums of those fit an int64.
constexpr int64_t kLimit = int64_t{1} << 30;

void check_values(Attributes& a, std::string_view name, const std::vector<int64_t>& values, int64_t least) {
  for (const int64_t v : values) {
    if (v < least || v > kLimit) a.fail(text("the attribute '", name, "' holds ", v, ", which makes no sense"));
  }
}

Status check_length(std::string_view name, const std::vector<int64_t>& values, int expected) {
  if (values.empty() || static_cast<int>(values.size()) == expected) return {};
  return {Code::InvalidModel, text("the attribute '", name, "' has ", values.size(), " entries; expected ", expected)};
}

// Fills in pads and out of an axis whose `in` is known.
Status resolve_axis(WindowAxis& x, AutoPad auto_pad, bool ceil_mode) {
  if (auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower) {
    x.out = (x.in + x.stride - 1) / x.stride;
    const int64_t total = std::max<int64_t>(0, (x.out - 1) * x.stride + x.extent() - x.in);
    x.pad_begin = auto_pad == AutoPad::SameUpper ? total / 2 : total - total / 2;
    x.pad_end = total - x.pad_begin;
    return {};
  }
  const int64_t room = x.in + x.pad_begin + x.pad_end - x.extent();
  // With ceil_mode a window may be larger than the image, by less than a stride: it is the last one, partly there.
  if (room < 0 && !(ceil_mode && -room < x.stride && x.in > 0)) {
    return {Code::ShapeMismatch, text("the window spans ", x.extent(), " cells, more than the image's ", x.in, " with ",
                                      x.pad_begin, " + ", x.pad_end, " of padding")};
  }
  x.out = room / x.stride + 1;
  if (ceil_mode && room >= 0) {
    // A last window that is only partly there counts, but none that starts in the padding at the end.
    x.out = (room + x.stride - 1) / x.stride + 1;
    if (x.out > 1 && (x.out - 1) * x.stride >= x.in + x.pad_begin) --x.out;
  }
  return {};
}

}  // namespace

std::array<int64_t, kMaxSpatial> Window::out_dims() const {
  std::array<int64_t, kMaxSpatial> dims{};
  for (int i = 0; i < rank; ++i) dims[static_cast<size_t>(i)] = (*this)[i].out;
  return dims;
}

int64_t Window::in_pixels() const {
  int64_t n = 1;
  for (int i = 0; i < rank; ++i) n *= (*this)[i].in;
  return n;
}
int64_t Window::out_pixels() const {
  int64_t n = 1;
  for (int i = 0; i < rank; ++i) n *= (*this)[i].out;
  return n;
}
int64_t Window::taps() const {
  int64_t n = 1;
  for (int i = 0; i < rank; ++i) n *= (*this)[i].kernel;
  return n;
}

WindowAttributes::WindowAttributes(Attributes& a)
    : kernel(a.integers("kernel_shape")),
      strides(a.integers("strides")),
      pads(a.integers("pads")),
      dilations(a.integers("dilations")),
      ceil_mode(a.flag("ceil_mode", false)) {
  check_values(a, "kernel_shape", kernel, 1);
  check_values(a, "strides", strides, 1);
  check_values(a, "dilations", dilations, 1);
  check_values(a, "pads", pads, 0);
  const std::string name = a.string("auto_pad", "NOTSET");
  if (name == "SAME_UPPER") {
    auto_pad = AutoPad::SameUpper;
  } else if (name == "SAME_LOWER") {
    auto_pad = AutoPad::SameLower;
  } else if (name == "VALID") {
    auto_pad = AutoPad::Valid;
  } else if (name != "NOTSET" && !name.empty()) {
    a.fail(text("the attribute 'auto_pad' is ", name, "; expected NOTSET, SAME_UPPER, SAME_LOWER or VALID"));
  }
}

Result<Window> WindowAttributes::axes(int rank, std::span<const int64_t> given) const {
  NM_TRY(check_length("kernel_shape", kernel, rank));
  NM_TRY(check_length("strides", strides, rank));
  NM_TRY(check_length("dilations", dilations, rank));
  if (auto_pad == AutoPad::None) NM_TRY(check_length("pads", pads, 2 * rank));
  if (kernel.empty() && given.empty()) {
    return Status(Code::InvalidModel, "the required attribute 'kernel_shape' is missing");
  }
  Window w;
  w.rank = rank;
  for (int i = 0; i < rank; ++i) {
    const auto k = static_cast<size_t>(i);
    WindowAxis& x = w[i];
    x.kernel = kernel.empty() ? given[k] : kernel[k];
    if (!given.empty() && given[k] >= 0 && given[k] != x.kernel) {
      return Status(Code::ShapeMismatch, text("the weights' window is ", given[k], " cells in dimension ", i,
                                              ", but kernel_shape says ", x.kernel));
    }
    if (x.kernel > kLimit) return Status(Code::ShapeMismatch, text("a window of ", x.kernel, " cells is too large"));
    x.stride = strides.empty() ? 1 : strides[k];
    x.dilation = dilations.empty() ? 1 : dilations[k];
    if (auto_pad == AutoPad::None && !pads.empty()) {
      x.pad_begin = pads[k];
      x.pad_end = pads[k + static_cast<size_t>(rank)];
    }
  }
  return w;
}

Result<Window> WindowAttributes::resolve(std::span<const int64_t> in, std::span<const int64_t> given) const {
  NM_ASSIGN(Window w, axes(static_cast<int>(in.size()), given));
  for (int i = 0; i < w.rank; ++i) {
    WindowAxis& x = w[i];
    x.in = in[static_cast<size_t>(i)];
    if (x.kernel < 0) continue;
    if (x.in >= 0) {
      if (x.in > kLimit * kLimit) return Status(Code::ShapeMismatch, text("an image of ", x.in, " cells is too large"));
      NM_TRY(resolve_axis(x, auto_pad, ceil_mode));
      continue;
    }
    // An unknown size that the window does not change keeps its name.
    const bool same = auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower;
    const bool keeps = same || (auto_pad == AutoPad::None && x.pad_begin + x.pad_end == x.extent() - 1);
    x.out = x.stride == 1 && keeps ? x.in : kUnknownDim;
  }
  return w;
}

}  // namespace nm
