#include "engine/op/check.h"
#include "engine/op/movement.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

// Both move blocks between channels and space; inputs are [batch, channels, height, width].
class BlockOperator : public Movement {
 protected:
  explicit BlockOperator(Attributes& a) : block_(a.integer("blocksize", 0)) {
    a.require("blocksize");
    if (a.has("blocksize") && (block_ < 1 || block_ > 1 << 15)) {
      a.fail(text("the attribute 'blocksize' is ", block_, "; it must be positive and sensible"));
    }
    const std::string mode = a.string("mode", "DCR");
    depth_first_ = mode == "DCR";
    if (!depth_first_ && mode != "CRD") a.fail(text("the attribute 'mode' is '", mode, "'; expected DCR or CRD"));
  }

  Status check(Inference& inference) const {
    NM_TRY(check_tensors(inference, 1));
    inference.output(0, inference.type(0));
    if (inference.has_shape(0) && inference.shape(0).rank() != 4)
      return wrong_shape("the input", inference.shape(0), "four dimensions");
    return {};
  }

  int64_t block_;
  bool depth_first_;  // a block's places come before the channels, not after them
};

class DepthToSpace final : public BlockOperator {
 public:
  explicit DepthToSpace(Attributes& a) : BlockOperator(a) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check(inference));
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    if (out[1] >= 0 && out[1] % (block_ * block_) != 0) {
      return wrong_shape("the input", out, text("a multiple of ", block_ * block_, " channels"));
    }
    if (out[1] >= 0) out[1] /= block_ * block_;
    for (int i = 2; i < 4; ++i) {
      if (out[i] > INT64_MAX / block_) return {Code::ShapeMismatch, "the output is too large"};
      out[i] = out[i] < 0 ? kUnknownDim : out[i] * block_;
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    const Strides s = row_major(in.shape());
    const int64_t channels = out.dim(1);
    // In the output's order: batch, channel, row, row in block, column, column in block.
    const int64_t channel = depth_first_ ? s[1] : s[1] * block_ * block_;
    const int64_t cell = depth_first_ ? s[1] * channels : s[1];
    const Shape extent{in.dim(0), channels, in.dim(2), block_, in.dim(3), block_};
    copy_strided(in.dtype(), extent, {in.raw(), 0, {s[0], channel, s[2], cell * block_, s[3], cell}},
                 {out.raw(), 0, row_major(extent)});
    return {};
  }
};

class SpaceToDepth final : public BlockOperator {
 public:
  explicit SpaceToDepth(Attributes& a) : BlockOperator(a) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check(inference));
    if (!inference.has_shape(0)) return {};
    Shape out = inference.shape(0);
    for (int i = 2; i < 4; ++i) {
      if (out[i] < 0) continue;
      if (out[i] % block_ != 0)
        return wrong_shape("the input", inference.shape(0), text("sides that ", block_, " divides"));
      out[i] /= block_;
    }
    if (out[1] > INT64_MAX / (block_ * block_)) return {Code::ShapeMismatch, "the output is too large"};
    out[1] = out[1] < 0 ? kUnknownDim : out[1] * block_ * block_;
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    const Strides s = row_major(in.shape());
    // In the output's order: batch, the channel before or after row and column in the block, row, column.
    const int64_t row = s[2] * block_;
    const int64_t column = s[3] * block_;
    const int64_t channels = in.dim(1);
    const Shape extent = depth_first_ ? Shape{in.dim(0), block_, block_, channels, out.dim(2), out.dim(3)}
                                      : Shape{in.dim(0), channels, block_, block_, out.dim(2), out.dim(3)};
    const Strides from =
        depth_first_ ? Strides{s[0], s[2], s[3], s[1], row, column} : Strides{s[0], s[1], s[2], s[3], row, column};
    copy_strided(in.dtype(), extent, {in.raw(), 0, from}, {out.raw(), 0, row_major(extent)});
    return {};
  }
};

}  // namespace

constexpr AttributeRange kDepthToSpaceAttributes[] = {{"mode", 11}};
constexpr AttributeRange kSpaceToDepthAttributes[] = {{"mode", 28}};

constexpr OperatorEntry kEntries[] = {
    entry<DepthToSpace>("DepthToSpace", 1,
                        {.inputs = 1, .outputs = 1, .layout = layout::opaque, .attributes = kDepthToSpaceAttributes}),
    entry<SpaceToDepth>("SpaceToDepth", 1,
                        {.inputs = 1, .outputs = 1, .layout = layout::opaque, .attributes = kSpaceToDepthAttributes}),
};

NM_OPERATORS(depth_to_space, kEntries)

}  // namespace nm
