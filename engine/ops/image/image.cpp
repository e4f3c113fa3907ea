#include "engine/ops/image/image.h"

#include "engine/kernels/kernels.h"

namespace nm {
namespace {

// [batch, rows, cols] to [batch, cols, rows].
void swap_inner(int64_t batch, int64_t rows, int64_t cols, const void* x, void* y, DType dtype) {
  const int64_t dims[] = {batch, rows, cols};
  const int axes[] = {0, 2, 1};
  kernels().layout.permute(3, dims, axes, x, y, static_cast<size_t>(dtype_bits(dtype) / 8));
}

}  // namespace

Shape ImageLayout::shape(int64_t batch, int64_t channels, std::span<const int64_t> spatial) const {
  Shape s{batch};
  if (!last_) s.push_back(channels);
  for (const int64_t d : spatial) s.push_back(d);
  if (last_) s.push_back(channels);
  return s;
}

Result<const void*> ImageLayout::read(const Execution& execution, const Tensor& t) const {
  if (as_is(t.shape()) || t.count() == 0) return t.raw();
  NM_ASSIGN(uint8_t * copy, execution.scratch<uint8_t>(Size(t.bytes())));
  swap_inner(t.dim(0), t.dim(1), pixels(t.shape()), t.raw(), copy, t.dtype());
  return static_cast<const void*>(copy);
}

Result<ImageLayout::Target> ImageLayout::target(const Execution& execution, Tensor& output) const {
  Target target;
  target.output_ = &output;
  target.channels_ = channels(output.shape());
  target.pixels_ = pixels(output.shape());
  if (as_is(output.shape())) {
    target.data_ = output.raw();
  } else {
    NM_ASSIGN(target.data_, execution.scratch<uint8_t>(Size(output.bytes())));
  }
  return target;
}

void ImageLayout::Target::finish() const {
  if (data_ == output_->raw() || output_->count() == 0) return;
  swap_inner(output_->dim(0), pixels_, channels_, data_, output_->raw(), output_->dtype());
}

}  // namespace nm
