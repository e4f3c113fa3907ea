// f32 convolution and transposed convolution with any number of spatial axes: the last two are a plane, for which there
// are kernels (1-D: a plane of height 1); what the taps of the axes before them contribute is added plane by plane.
#pragma once
#include "engine/base/selection.h"
#include "engine/kernels/conv.h"
#include "engine/op/operator.h"
#include "engine/ops/nn/window.h"

namespace nm {

// The form in which kernels take weights at rest; false for types they do not take.
bool source_type(DType dtype, SourceType& type);

class PlaneConv {
 public:
  // A transposed convolution without strides is an ordinary one with the kernel turned round: it becomes that.
  // Of `window` only kernel, stride and dilation need to be known to pack. `winograd`: the form of the packed weights.
  PlaneConv(bool transposed, const Window& window, int64_t batch, int64_t in_c, int64_t out_c, int64_t groups,
            bool winograd = false);

  // Whether packing for Winograd's algorithm pays; output sizes of the window that are unknown are taken for large.
  bool prefers_winograd() const;

  int64_t packed_size() const { return tap_size_ * outer_taps_; }  // floats
  // Weights as ONNX has them: [out_c, in_c/groups, …], transposed [in_c, out_c/groups, …].
  Status pack(const void* weights, SourceType type, float* packed) const;

  // Channels-last, dense. The epilogue's residual has the output's shape.
  Status run(const Execution& execution, const float* x, const float* packed, float* y, const Epilogue& epilogue) const;

 private:
  // The input index of an outer axis for an output index and a tap; -1 where that tap contributes nothing.
  int64_t source_index(const WindowAxis& axis, int64_t out, int64_t tap) const;
  // A plane moved so far that it reads nothing but padding.
  ConvShape outside_plane() const;
  void run_planes(const float* x, const float* packed, float* y, const Epilogue& epilogue, float* scratch) const;

  void note_form() const;
  // Weights of a transposed convolution as those of the ordinary one that does the same.
  void turn_round(const void* weights, size_t element, uint8_t* turned) const;

  bool is_transposed() const { return selection::has<selection::Part::TransposedConv> && transposed_; }

  bool transposed_;
  bool turned_ = false;
  Window window_;
  ConvShape plane_;
  int outer_;  // spatial axes before the plane's
  int64_t outer_taps_ = 1, outer_in_ = 1, outer_out_ = 1;
  int64_t tap_size_;  // floats of packed weights for one outer tap
};

}  // namespace nm
