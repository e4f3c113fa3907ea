// com.microsoft's Attention: one product makes queries, keys and values of the input, then heads attend.
#include <algorithm>
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/product.h"
#include "engine/ops/microsoft/attention_masks.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

constexpr size_t kInput = 0, kWeights = 1, kBias = 2, kMask = 3, kPast = 4, kScoreBias = 5;

class FusedAttention final : public Operator {
 public:
  explicit FusedAttention(Attributes& a)
      : heads_(a.integer("num_heads", 0)),
        causal_(a.flag("unidirectional", false)),
        scale_(a.number("scale", 0)),
        hidden_(a.number("mask_filter_value", -10000)),
        sizes_(a.integers("qkv_hidden_sizes")) {
    selection::note(selection::Part::States);
    if (heads_ < 1) a.fail("the attribute 'num_heads' must be given and positive");
    if (!sizes_.empty() && (sizes_.size() != 3 || sizes_[0] != sizes_[1])) {
      a.fail("the attribute 'qkv_hidden_sizes' must hold three sizes, those of queries and keys equal");
    }
    for (const int64_t s : sizes_) {
      if (heads_ >= 1 && (s < heads_ || s % heads_ != 0))
        a.fail("the attribute 'num_heads' must divide all of 'qkv_hidden_sizes'");
    }
    a.ignore({"rotary_embedding_dim"});
    if (a.flag("do_rotary", false)) a.unsupported("the attribute 'do_rotary' is not supported");
    if (a.flag("past_present_share_buffer", false))
      a.unsupported("the attribute 'past_present_share_buffer' is not supported");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    const bool packable = inference.type(kInput) == DType::Float32 && is_float(inference.type(kWeights));
    for (const size_t i : {kInput, kWeights, kBias, kPast, kScoreBias}) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32, DType::Float16, DType::BFloat16}));
      if (i == kWeights && packable) continue;
      if (inference.type(i) != DType::Undefined && inference.type(kInput) != DType::Undefined &&
          inference.type(i) != inference.type(kInput)) {
        return wrong_type(text("input ", i), inference.type(i), dtype_name(inference.type(kInput)));
      }
    }
    inference.output(0, inference.type(kInput));
    inference.output(1, inference.type(kInput));
    if (!inference.has_shape(kInput) || !inference.has_shape(kWeights) ||
        (inference.has(kPast) && !inference.has_shape(kPast)))
      return {};
    const Shape& x = inference.shape(kInput);
    const Shape& w = inference.shape(kWeights);
    if (x.rank() != 3) return wrong_shape("the input", x, "[batch,length,size]");
    if (w.rank() != 2 || (w[0] >= 0 && x[2] >= 0 && w[0] != x[2])) {
      return wrong_shape("the weights (input 1)", w, text("a matrix with ", x[2], " rows"));
    }
    if (w[1] < 0) return {};
    const Widths s = widths(w[1]);
    if (2 * s.qk + s.v != w[1] || s.qk % heads_ != 0 || s.v % heads_ != 0 || s.qk == 0) {
      return wrong_shape("the weights (input 1)", w,
                         text("columns for queries, keys and values of ", heads_, " heads"));
    }
    inference.output(0, inference.type(kInput), Shape{x[0], x[1], s.v});
    if (inference.has_shape(kBias) && inference.shape(kBias).known() && inference.shape(kBias) != Shape{w[1]}) {
      return wrong_shape("the bias (input 2)", inference.shape(kBias), to_string(Shape{w[1]}));
    }
    int64_t past = 0;
    if (inference.has(kPast)) {
      const Shape& p = inference.shape(kPast);
      const Shape expected{2, x[0], heads_, p.rank() == 5 ? p[3] : kUnknownDim, s.qk / heads_};
      if (s.qk != s.v || p.rank() != 5 || (p.known() && expected.known() && p != expected)) {
        return wrong_shape("the past (input 4)", p, to_string(expected));
      }
      past = p[3];
    }
    if (inference.wants(1) && s.qk != s.v)
      return wrong_shape("the weights (input 1)", w, "keys and values of one size, for the present state");
    const int64_t total = past < 0 || x[1] < 0 ? kUnknownDim : past + x[1];
    inference.output(1, inference.type(kInput), Shape{2, x[0], heads_, total, s.qk / heads_});
    NM_TRY(check_score_bias(inference, kScoreBias, x[0], heads_, x[1], total));
    return check_key_mask(inference, kMask, x[0], x[1], total);
  }

  Status prepare(Preparation& p) override {
    const Tensor* w = p.constant(kWeights);
    if (w == nullptr || !is_float(w->dtype()) || w->dtype() == DType::Float64 || w->rank() != 2) return {};
    NM_TRY(packed_.pack(*w, {}));
    p.consume(kWeights);
    p.keeps(packed_.bytes());
    return {};
  }

  bool packs_float16(size_t i) const override { return i == kWeights; }

  Status run(Execution& execution) override {
    const Tensor& x = execution.input(kInput);
    if (x.dtype() != DType::Float32 || (!packed_.ok() && execution.input(kWeights).dtype() != DType::Float32)) {
      return no_arithmetic(x.dtype());
    }
    const int64_t batch = x.dim(0), length = x.dim(1), width = execution.input(kWeights).dim(1);
    const Widths s = widths(width);
    NM_ASSIGN(float* qkv, execution.scratch<float>(Size(batch) * length * width));
    Tensor product = Tensor::view(DType::Float32, Shape{batch, length, width}, qkv);
    Epilogue epilogue;
    if (execution.has(kBias)) epilogue.bias = execution.data<float>(kBias);
    NM_TRY(multiply(execution, x, execution.input(kWeights), packed_, {}, epilogue, product));

    AttentionCall call;
    call.batch = batch;
    call.q_heads = call.kv_heads = heads_;
    call.q_len = length;
    call.head_size = s.qk / heads_;
    call.v_size = s.v / heads_;
    const int64_t past = execution.has(kPast) ? execution.input_shape(kPast)[3] : 0;
    call.kv_len = past + length;
    call.q = Heads<const float>::inner(qkv, length, call.head_size, width);
    const auto k = Heads<const float>::inner(qkv + s.qk, length, call.head_size, width);
    const auto v = Heads<const float>::inner(qkv + 2 * s.qk, length, call.v_size, width);
    call.k = k;
    call.v = v;
    call.y = Heads<float>::inner(execution.out<float>(0), length, call.v_size, s.v);
    call.scale = scale_ != 0 ? scale_ : 1 / std::sqrt(static_cast<float>(call.head_size));
    call.causal = causal_;
    call.offset = past;
    if (execution.has(kPast) || execution.wants(1)) NM_TRY(join_past(execution, past, k, v, call));
    set_score_bias(execution, kScoreBias, call);
    NM_TRY(set_key_mask(execution, kMask, hidden_, call));
    return attend(execution, call);
  }

  std::optional<size_t> growth(const Inference& inference, size_t o) const override {
    return o == 1 && inference.has(kPast) ? std::optional(kPast) : std::nullopt;
  }
  bool takes_growing(size_t i) const override { return i == kPast; }

  double flops(const Inference& inference) const override {
    const Shape& x = inference.shape(kInput);
    const auto tokens = static_cast<double>(x[0] * x[1]);
    const auto width = static_cast<double>(inference.shape(kWeights)[1]);
    return 2 * tokens * width * (static_cast<double>(x[2]) + static_cast<double>(x[1]) * 2 / 3);
  }

 private:
  struct Widths {
    int64_t qk, v;
  };
  Widths widths(int64_t columns) const {
    return sizes_.empty() ? Widths{columns / 3, columns / 3} : Widths{sizes_[0], sizes_[2]};
  }

  // Present keys, then present values, each [batch, heads, past + length, size].
  Status join_past(Execution& execution, int64_t past, const Heads<const float>& k, const Heads<const float>& v,
                   AttentionCall& call) const {
    NM_ASSIGN(const Present p,
              present(execution, kPast, 1, Shape{2, call.batch, heads_, call.kv_len, call.head_size}, past));
    const Strides &now = p.last.at.strides, &all = p.all.strides;
    float* to = static_cast<float*>(p.last.at.data) + p.last.at.offset;
    for (const Heads<const float>& part : {k, v}) {
      copy_rows({call.batch, heads_, call.head_size, part, call.q_len}, {to, now[1], now[2], now[3]});
      to += now[0];
    }
    p.last.settle();
    call.k = StoredHeads(p.all.rows, {all[1], all[2], all[3]});
    call.v = call.k.behind(all[0]);
    return {};
  }

  int64_t heads_;
  bool causal_;
  float scale_;
  float hidden_;  // what a masked score is lowered by
  std::vector<int64_t> sizes_;
  PackedMatrices packed_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<FusedAttention>(kMicrosoftDomain, "Attention", 1, {.inputs = 7, .outputs = 2, .layout = layout::opaque}),
};

NM_OPERATORS(fused_attention, kEntries)

}  // namespace nm
