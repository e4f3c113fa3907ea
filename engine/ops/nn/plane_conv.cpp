#include "engine/ops/nn/plane_conv.h"

#include <algorithm>
#include <cstring>

#include "engine/base/memory.h"
#include "engine/kernels/kernels.h"

namespace nm {

bool source_type(DType dtype, SourceType& type) {
  switch (dtype) {
    case DType::Float32:
      type = SourceType::F32;
      return true;
    case DType::Float16:
      type = SourceType::F16;
      return true;
    case DType::BFloat16:
      type = SourceType::BF16;
      return true;
    default:
      return false;
  }
}

PlaneConv::PlaneConv(bool transposed, const Window& window, int64_t batch, int64_t in_c, int64_t out_c, int64_t groups,
                     bool winograd)
    : transposed_(transposed), window_(window), outer_(std::max(0, window.rank - 2)) {
  const auto axes = std::span(window_.axes).first(static_cast<size_t>(window.rank));
  if (transposed && std::ranges::all_of(axes, [](const WindowAxis& a) { return a.stride == 1; })) {
    transposed_ = false;
    turned_ = true;
    for (WindowAxis& a : axes) a.pad_begin = a.extent() - 1 - a.pad_begin;
  }
  plane_.batch = batch;
  plane_.in_c = in_c;
  plane_.out_c = out_c;
  plane_.groups = groups;
  plane_.winograd = winograd;
  const WindowAxis& x = window_[window.rank - 1];
  plane_.in_w = x.in;
  plane_.out_w = x.out;
  plane_.kernel_w = x.kernel;
  plane_.stride_w = x.stride;
  plane_.dilation_w = x.dilation;
  plane_.pad_left = x.pad_begin;
  if (window.rank > 1) {
    const WindowAxis& y = window_[window.rank - 2];
    plane_.in_h = y.in;
    plane_.out_h = y.out;
    plane_.kernel_h = y.kernel;
    plane_.stride_h = y.stride;
    plane_.dilation_h = y.dilation;
    plane_.pad_top = y.pad_begin;
  }
  for (int i = 0; i < outer_; ++i) {
    outer_taps_ *= window_[i].kernel;
    outer_in_ *= window_[i].in;
    outer_out_ *= window_[i].out;
  }
  const ConvKernels& conv = kernels().conv;
  const int64_t size = is_transposed() ? conv.transposed_packed_size(plane_) : conv.packed_size(plane_);
  constexpr int64_t floats = kAlignment / sizeof(float);
  tap_size_ = (size + floats - 1) / floats * floats;
}

bool PlaneConv::prefers_winograd() const {
  return !is_transposed() && outer_ == 0 && kernels().conv.prefers_winograd(plane_);
}

// What a reduced build for such a shape should have. Its vectors are the narrowest: another size prefers other forms.
void PlaneConv::note_form() const {
  if constexpr (selection::kNotes) {
    if (is_depthwise(plane_)) selection::note(selection::Part::Depthwise);
    if (!is_transposed() && outer_ == 0 && available_kernels().back()->conv.prefers_winograd(plane_)) {
      selection::note(selection::Part::Winograd);
    }
  }
}

Status PlaneConv::pack(const void* weights, SourceType type, float* packed) const {
  note_form();
  const ConvKernels& conv = kernels().conv;
  const int64_t plane_taps = plane_.kernel_h * plane_.kernel_w;
  const int64_t rows = plane_.in_c / plane_.groups * plane_.out_c;
  const size_t element = type == SourceType::F32 ? 4 : 2;
  Buffer turned, by_tap;
  if (turned_) {
    turned = Buffer(Size(rows) * outer_taps_ * plane_taps * element);
    if (!turned.ok()) return {Code::OutOfMemory, "there is no memory for the weights of a convolution"};
    turn_round(weights, element, turned.data());
    weights = turned.data();
  }
  if (outer_taps_ > 1) {
    by_tap = Buffer(Size(rows) * outer_taps_ * plane_taps * element);
    if (!by_tap.ok()) return {Code::OutOfMemory, "there is no memory for the weights of a convolution"};
    const int64_t dims[] = {rows, outer_taps_, plane_taps};
    const int axes[] = {1, 0, 2};
    kernels().layout.permute(3, dims, axes, weights, by_tap.data(), element);
    weights = by_tap.data();
  }
  for (int64_t t = 0; t < outer_taps_; ++t) {
    const void* from = static_cast<const uint8_t*>(weights) + static_cast<size_t>(t * rows * plane_taps) * element;
    if (is_transposed()) {
      conv.transposed_pack(plane_, from, type, packed + t * tap_size_);
    } else {
      conv.pack(plane_, from, type, nullptr, packed + t * tap_size_);
    }
  }
  return {};
}

// From [group, in, out, taps] to [group, out, in, taps the other way round].
void PlaneConv::turn_round(const void* weights, size_t element, uint8_t* turned) const {
  const int64_t in = plane_.in_c / plane_.groups, out = plane_.out_c / plane_.groups;
  const int64_t taps = outer_taps_ * plane_.kernel_h * plane_.kernel_w;
  const auto* from = static_cast<const uint8_t*>(weights);
  for (int64_t g = 0; g < plane_.groups; ++g) {
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) {
        const int64_t run = ((g * in + i) * out + o) * taps;
        for (int64_t t = taps; t-- > 0; turned += element) {
          std::memcpy(turned, from + static_cast<size_t>(run + t) * element, element);
        }
      }
    }
  }
}

Status PlaneConv::run(const Execution& execution, const float* x, const float* packed, float* y,
                      const Epilogue& epilogue) const {
  const ConvKernels& conv = kernels().conv;
  const auto scratch_size = is_transposed() ? conv.transposed_scratch_size : conv.scratch_size;
  int64_t floats = scratch_size(plane_);
  // Padding may take another kernel than the plane itself: a 1×1 plane is a matrix product, outside its image it is
  // not.
  if (outer_ > 0) floats = std::max(floats, scratch_size(outside_plane()));
  NM_ASSIGN(float* scratch, execution.scratch<float>(Size(floats)));
  if (outer_ > 0) {
    run_planes(x, packed, y, epilogue, scratch);
    return {};
  }
  const auto run = is_transposed() ? conv.transposed_run : conv.run;
  run(plane_, {x, plane_.in_c, y, plane_.out_c}, packed, epilogue, scratch);
  return {};
}

int64_t PlaneConv::source_index(const WindowAxis& axis, int64_t out, int64_t tap) const {
  int64_t at = out * axis.stride - axis.pad_begin + tap * axis.dilation;
  if (is_transposed()) {
    at = out + axis.pad_begin - tap * axis.dilation;
    if (at % axis.stride != 0) return -1;
    at /= axis.stride;
  }
  return at >= 0 && at < axis.in ? at : -1;
}

ConvShape PlaneConv::outside_plane() const {
  ConvShape outside = plane_;
  outside.batch = 1;
  outside.pad_top = (plane_.in_h + plane_.out_h + plane_.kernel_h * plane_.dilation_h) * plane_.stride_h;
  return outside;
}

void PlaneConv::run_planes(const float* x, const float* packed, float* y, const Epilogue& epilogue,
                           float* scratch) const {
  const auto run = is_transposed() ? kernels().conv.transposed_run : kernels().conv.run;
  ConvShape plane = plane_;
  plane.batch = 1;
  const int64_t in_size = plane.in_h * plane.in_w * plane.in_c, out_size = plane.out_h * plane.out_w * plane.out_c;
  std::array<int64_t, kMaxSpatial> out_dims{}, taps{};
  for (int i = 0; i < outer_; ++i) {
    out_dims[static_cast<size_t>(i)] = window_[i].out;
    taps[static_cast<size_t>(i)] = window_[i].kernel;
  }
  const auto outer = static_cast<size_t>(outer_);
  for (int64_t image = 0; image < plane_.batch; ++image) {
    int64_t out = image * outer_out_;
    for_each_index(std::span(out_dims).first(outer), [&](const auto& at) {
      Epilogue e;
      e.bias = epilogue.bias;
      e.residual = epilogue.residual ? epilogue.residual + out * out_size : nullptr;
      e.ldr = plane.out_c;
      // Each plane but the last waits until the next is known, which then takes its sums as the residual.
      const float* waiting = nullptr;
      int64_t waiting_tap = 0, tap = 0;
      const ConvImages images{nullptr, plane.in_c, y + out * out_size, plane.out_c};
      const auto add = [&](const ConvShape& shape, const float* from, int64_t t) {
        run(shape, {from, images.ldx, images.y, images.ldy}, packed + t * tap_size_, e, scratch);
        e.bias = nullptr;
        e.residual = images.y;
      };
      for_each_index(std::span(taps).first(outer), [&](const auto& k) {
        int64_t from = 0;
        for (size_t i = 0; i < outer && from >= 0; ++i) {
          const int64_t index = source_index(window_[static_cast<int>(i)], at[i], k[i]);
          from = index < 0 ? -1 : from * window_[static_cast<int>(i)].in + index;
        }
        if (from >= 0) {
          if (waiting != nullptr) add(plane, waiting, waiting_tap);
          waiting = x + (image * outer_in_ + from) * in_size;
          waiting_tap = tap;
        }
        ++tap;
      });
      e.activation = epilogue.activation;
      e.a = epilogue.a;
      e.b = epilogue.b;
      if (waiting != nullptr) {
        add(plane, waiting, waiting_tap);
      } else {  // nothing but padding: a plane that lies outside its image altogether
        add(outside_plane(), x, 0);
      }
      ++out;
    });
  }
}

}  // namespace nm
