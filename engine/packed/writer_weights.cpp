#include "engine/packed/writer_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/reserve.h"
#include "engine/kernels/kernels.h"

namespace nm::packed {
namespace {

constexpr int64_t kFewest = 256;  // elements of a tensor that is made narrower
constexpr int64_t kSharing = 32;  // elements for each scale at least
constexpr float kLargestHalf = 65504;
constexpr float kLargestInt8 = 127;

// The largest magnitude at each index along the axis.
std::vector<float> largest_along(const Tensor& tensor, int axis) {
  const Shape& shape = tensor.shape();
  std::vector<float> largest(static_cast<size_t>(shape[axis]), 0.f);
  const int64_t inner = shape.count(axis + 1, shape.rank());
  const auto* x = tensor.data<float>();
  for (int64_t left = shape.count(0, axis); left > 0; --left) {
    for (float& most : largest) {
      for (int64_t i = 0; i < inner; ++i) most = std::max(most, std::abs(*x++));
    }
  }
  return largest;
}

struct Channels {
  int axis = -1;  // none
  std::vector<float> largest;
};

// The axis whose steps have the least geometric mean: channels with small weights are as important as others, so an
// axis must serve them rather than have the least error in all, which is that of the largest ones.
Channels best_axis(const Tensor& tensor) {
  Channels best;
  double least = INFINITY;
  for (int axis = 0; axis < tensor.rank(); ++axis) {
    std::vector<float> largest = largest_along(tensor, axis);
    if (largest.empty()) continue;
    double steps = 0;
    for (const float most : largest) steps += std::log(std::max(most, std::numeric_limits<float>::min()));
    steps /= static_cast<double>(largest.size());
    if (steps < least) {
      least = steps;
      best = {axis, std::move(largest)};
    }
  }
  // A filter of 3×3 for each channel is not worth a scale, and three rows of all of them cannot share one.
  if (tensor.count() / kSharing < static_cast<int64_t>(best.largest.size())) return {};
  return best;
}

void write_int8(const Tensor& tensor, const Channels& channels, uint8_t* block) {
  const Shape& shape = tensor.shape();
  auto* scales = reinterpret_cast<float*>(block);
  auto* to = reinterpret_cast<int8_t*>(scales + channels.largest.size());
  for (size_t c = 0; c < channels.largest.size(); ++c) scales[c] = channels.largest[c] / kLargestInt8;
  const int64_t inner = shape.count(channels.axis + 1, shape.rank());
  const auto* x = tensor.data<float>();
  for (int64_t left = shape.count(0, channels.axis); left > 0; --left) {
    for (const float most : channels.largest) {
      // A product with the reciprocal would be infinite for the smallest numbers.
      const float by = most > 0 ? most : 1;
      for (int64_t i = 0; i < inner; ++i) {
        const float steps = std::nearbyint(*x++ / by * kLargestInt8);
        *to++ = static_cast<int8_t>(std::clamp(steps, -kLargestInt8, kLargestInt8));
      }
    }
  }
}

}  // namespace

Result<std::optional<NarrowTensor>> narrow(const Tensor& tensor, Weights weights, bool exact) {
  std::optional<NarrowTensor> none;
  if (weights == Weights::Float32 || tensor.dtype() != DType::Float32 || tensor.rank() < 2 ||
      tensor.count() < kFewest) {
    return none;
  }
  const auto elements = tensor.span<float>();
  float least = 0, most = 0;
  bool finite = true;
  for (const float x : elements) {
    finite = finite && std::isfinite(x);
    least = std::min(least, x);
    most = std::max(most, x);
  }
  if (!finite || std::max(most, -least) > kLargestHalf) return none;
  NarrowTensor narrow;
  Channels channels;
  if (weights != Weights::Float16 && !exact && least < 0) channels = best_axis(tensor);
  NM_TRY(check_memory());
  if (channels.axis >= 0) {
    narrow.form = Form::Int8;
    narrow.axis = channels.axis;
  }
  const Size bytes = narrow_bytes(narrow.form, narrow.axis, tensor.shape());
  narrow.block = Buffer(bytes);
  if (!narrow.block.ok()) return no_memory("the packed model", bytes);
  if (narrow.form == Form::Int8) {
    write_int8(tensor, channels, narrow.block.data());
  } else {
    kernels().convert.f32_to_f16(elements.data(), reinterpret_cast<uint16_t*>(narrow.block.data()), tensor.count());
  }
  return std::optional<NarrowTensor>(std::move(narrow));
}

}  // namespace nm::packed
