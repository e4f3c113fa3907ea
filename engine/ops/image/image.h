// How operators on images see their tensors: [batch, channels, spatial…] as ONNX has it or, where the layout pass set
// nm_channels_last, [batch, spatial…, channels]. Kernels take the latter; `read` and `Target` permute where needed.
#pragma once
#include <cstdint>
#include <span>

#include "engine/op/layout.h"
#include "engine/op/operator.h"

namespace nm {

class ImageLayout {
 public:
  explicit ImageLayout(Attributes& a) : last_(a.flag(kChannelsLast, false)) {
    // com.microsoft says it by an attribute or by the operator's name.
    if (a.domain() != kMicrosoftDomain) return;
    last_ = last_ || a.flag("channels_last", false) || a.op_type().starts_with("Nhwc");
  }

  bool channels_last() const { return last_; }
  int channel_axis(int rank) const { return last_ ? rank - 1 : 1; }
  int spatial_axis(int i) const { return last_ ? i + 1 : i + 2; }
  // The spatial dimensions of an image tensor, which has a rank of 3 at least.
  std::span<const int64_t> spatial(const Shape& s) const {
    return s.dims().subspan(last_ ? 1 : 2, static_cast<size_t>(s.rank() - 2));
  }
  int64_t channels(const Shape& s) const { return s[channel_axis(s.rank())]; }
  int64_t pixels(const Shape& s) const { return last_ ? s.count(1, s.rank() - 1) : s.count(2, s.rank()); }
  Shape shape(int64_t batch, int64_t channels, std::span<const int64_t> spatial) const;

  // A tensor's elements channels-last: where they lie, or permuted into scratch.
  Result<const void*> read(const Execution& execution, const Tensor& t) const;

  // Memory for an output's elements channels-last, and their way home.
  class Target {
   public:
    void* data() const { return data_; }
    float* floats() const { return static_cast<float*>(data_); }
    void finish() const;  // after everything is written

   private:
    friend class ImageLayout;
    Tensor* output_ = nullptr;
    void* data_ = nullptr;
    int64_t channels_ = 0, pixels_ = 0;
  };
  Result<Target> target(const Execution& execution, Tensor& output) const;

 private:
  // The same bytes in either layout.
  bool as_is(const Shape& s) const { return last_ || channels(s) == 1 || pixels(s) == 1; }
  bool last_;
};

}  // namespace nm
