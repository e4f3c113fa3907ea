// 2-D convolution and transposed convolution in f32 over channels-last images (1-D is height 1).
//
// An image is pixels of `channels` contiguous floats; ld* is the distance between pixels, so an image may be a slice
// of the channels of a wider one (Concat and Split need no copy). Rows are width·ld apart, images height·width·ld.
// Bottom and right padding follow from the output size, which the caller computes.
#pragma once
#include <cstdint>

#include "engine/base/thread_pool.h"
#include "engine/kernels/epilogue.h"
#include "engine/kernels/source_type.h"

namespace nm {

struct ConvShape {
  int64_t batch = 1;
  int64_t in_h = 1, in_w = 1, in_c = 1;
  int64_t out_h = 1, out_w = 1, out_c = 1;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t groups = 1;
  // Whether the weights are packed for Winograd's F(4×4, 3×3); packing and running must agree. Only where
  // prefers_winograd.
  bool winograd = false;
};

// Each channel by itself.
[[maybe_unused]] static bool is_depthwise(const ConvShape& s) {
  return s.groups > 1 && s.groups == s.in_c && s.out_c == s.in_c;
}

struct ConvImages {
  const float* x = nullptr;
  int64_t ldx = 0;  // >= in_c
  float* y = nullptr;
  int64_t ldy = 0;  // >= out_c
};

struct ConvKernels {
  // Whether Winograd's form is the faster one. Reads the output size too; a negative one is not known and taken for
  // large. Results differ from the direct form's by rounding, about ten times the direct form's own error.
  bool (*prefers_winograd)(const ConvShape& shape);
  // Packing reads only channels, kernel, stride, dilation, groups and form of the shape: packed weights serve any
  // image size.
  // Floats that the packed weights take.
  int64_t (*packed_size)(const ConvShape& shape);
  // From ONNX's [out_c, in_c/groups, kernel_h, kernel_w]; `scale` has one factor per output channel (a folded
  // BatchNormalization) or is null.
  void (*pack)(const ConvShape& shape, const void* weights, SourceType type, const float* scale, float* packed);
  // Floats of scratch that run needs with the pool as it is; may be 0.
  int64_t (*scratch_size)(const ConvShape& shape);
  void (*run)(const ConvShape& shape, const ConvImages& images, const float* packed, const Epilogue& epilogue,
              float* scratch);

  // Transposed convolution: weights are ONNX's [in_c, out_c/groups, kernel_h, kernel_w]; pads crop the output.
  int64_t (*transposed_packed_size)(const ConvShape& shape);
  void (*transposed_pack)(const ConvShape& shape, const void* weights, SourceType type, float* packed);
  int64_t (*transposed_scratch_size)(const ConvShape& shape);
  void (*transposed_run)(const ConvShape& shape, const ConvImages& images, const float* packed,
                         const Epilogue& epilogue, float* scratch);
};

}  // namespace nm
