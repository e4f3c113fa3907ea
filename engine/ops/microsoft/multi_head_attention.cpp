// com.microsoft's MultiHeadAttention: attention of queries, keys and values that are projected already, apart or
// packed, with a bias, masks and a cache.
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/microsoft/attention_masks.h"

namespace nm {
namespace {

constexpr size_t kQuery = 0, kKey = 1, kValue = 2, kBias = 3, kMask = 4, kScoreBias = 5, kPastKey = 6, kPastValue = 7,
                 kPastLength = 8, kIndirection = 9;

// How the operands lie: [batch, length, heads·size] each; all in [batch, length, heads, 3, size]; keys and values in
// [batch, length, heads, 2, size]; or keys and values of another sequence as [batch, heads, length, size].
enum class Packing { None, All, KeysAndValues, Outer };

struct Sizes {
  Packing packing = Packing::None;
  int64_t batch = 0, q_len = 0, kv_len = 0, past = 0, head = 0, v_head = 0;
  int64_t total() const { return past < 0 || kv_len < 0 ? kUnknownDim : past + kv_len; }
};

class MultiHeadAttention final : public Operator {
 public:
  explicit MultiHeadAttention(Attributes& a)
      : heads_(a.integer("num_heads", 0)),
        causal_(a.flag("unidirectional", false)),
        scale_(a.number("scale", 0)),
        hidden_(a.number("mask_filter_value", -10000)) {
    selection::note(selection::Part::States);
    if (heads_ < 1) a.fail("the attribute 'num_heads' must be given and positive");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    for (const size_t i : {kQuery, kKey, kValue, kBias, kScoreBias, kPastKey, kPastValue}) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32, DType::Float16, DType::BFloat16}));
      if (inference.type(i) != DType::Undefined && inference.type(kQuery) != DType::Undefined &&
          inference.type(i) != inference.type(kQuery)) {
        return wrong_type(text("input ", i), inference.type(i), dtype_name(inference.type(kQuery)));
      }
    }
    if (inference.has(kPastLength) || inference.has(kIndirection)) {
      return {Code::UnsupportedOperator,
              "a cache that beams share (inputs 8 and 9) is not supported; run the decoder's loop in JavaScript"};
    }
    if (inference.has(kPastKey) != inference.has(kPastValue)) {
      return {Code::MissingInput, "past keys and past values must be given together (inputs 6 and 7)"};
    }
    for (size_t o = 0; o < 4; ++o) inference.output(o, inference.type(kQuery));
    for (const size_t i : {kQuery, kKey, kValue, kPastKey, kPastValue}) {
      if (inference.has(i) && !inference.has_shape(i)) return {};
    }
    NM_ASSIGN(const Sizes s, sizes(inference));
    const int64_t width = s.v_head < 0 ? kUnknownDim : s.v_head * heads_;
    inference.output(0, inference.type(kQuery), Shape{s.batch, s.q_len, width});
    inference.output(1, inference.type(kQuery), Shape{s.batch, heads_, s.total(), s.head});
    inference.output(2, inference.type(kQuery), Shape{s.batch, heads_, s.total(), s.v_head});
    inference.output(3, inference.type(kQuery), Shape{s.batch, heads_, s.q_len, s.total()});
    const int64_t biases = s.head < 0 || s.v_head < 0 ? -1 : heads_ * (2 * s.head + s.v_head);
    if (inference.has_shape(kBias) && inference.shape(kBias).known() && biases >= 0 &&
        inference.shape(kBias) != Shape{biases}) {
      return wrong_shape("the bias (input 3)", inference.shape(kBias), to_string(Shape{biases}));
    }
    NM_TRY(check_score_bias(inference, kScoreBias, s.batch, heads_, s.q_len, s.total()));
    return check_key_mask(inference, kMask, s.batch, s.q_len, s.total());
  }

  Status run(Execution& execution) override {
    for (const size_t i : {kQuery, kKey, kValue, kBias, kScoreBias, kPastKey, kPastValue}) {
      if (execution.has(i) && execution.input_type(i) != DType::Float32) return no_arithmetic(execution.input_type(i));
    }
    const Sizes s = run_sizes(execution);
    AttentionCall call;
    call.batch = s.batch;
    call.q_heads = call.kv_heads = heads_;
    call.q_len = s.q_len;
    call.kv_len = s.total();
    call.head_size = s.head;
    call.v_size = s.v_head;
    call.y = Heads<float>::inner(execution.out<float>(0), s.q_len, s.v_head, heads_ * s.v_head);
    call.scale = scale_ != 0 ? scale_ : 1 / std::sqrt(static_cast<float>(s.head));
    call.causal = causal_;
    call.offset = s.past;
    NM_TRY(set_operands(execution, s, call));
    set_score_bias(execution, kScoreBias, call);
    NM_TRY(set_key_mask(execution, kMask, hidden_, call));
    if (execution.wants(3)) {
      call.scores = execution.out<float>(3);
      call.scores_after = AttentionCall::Scores::Product;  // what onnxruntime means by normalised
    }
    return attend(execution, call);
  }

  std::optional<size_t> growth(const Inference& inference, size_t o) const override {
    if (!inference.has(kPastKey) || (o != 1 && o != 2)) return std::nullopt;
    return o == 1 ? kPastKey : kPastValue;
  }
  bool takes_growing(size_t i) const override { return i == kPastKey || i == kPastValue; }

  double flops(const Inference& inference) const override {
    auto s = sizes(inference);
    if (!s.ok() || s->total() < 0) return 0;
    return 2.0 * static_cast<double>(s->batch * heads_ * s->q_len * s->total()) *
           static_cast<double>(s->head + s->v_head);
  }

 private:
  Result<Sizes> sizes(const Inference& inference) const {
    Sizes s;
    const Shape& q = inference.shape(kQuery);
    s.batch = q.rank() > 1 ? q[0] : 0;
    s.q_len = q.rank() > 1 ? q[1] : 0;
    if (inference.has(kKey) == (q.rank() == 5)) {
      return wrong_shape("the queries (input 0)", q,
                         "three dimensions beside keys, or queries, keys and values in [batch,length,heads,3,size]");
    }
    if (q.rank() == 5) {
      s.packing = Packing::All;
      s.kv_len = s.q_len;
      s.head = s.v_head = q[4];
      if (q[2] != heads_ || q[3] != 3) return wrong_shape("the queries (input 0)", q, text("[…,", heads_, ",3,size]"));
    } else {
      if (q.rank() != 3) return wrong_shape("the queries (input 0)", q, "[batch,length,size]");
      NM_ASSIGN(s.head, share(kQuery, q));
      NM_TRY(add_keys(inference, s));
    }
    if (!inference.has(kPastKey)) return s;
    s.past = inference.shape(kPastKey).rank() == 4 ? inference.shape(kPastKey)[2] : kUnknownDim;
    for (const size_t i : {kPastKey, kPastValue}) {
      const Shape expected{s.batch, heads_, s.past, i == kPastKey ? s.head : s.v_head};
      const Shape& past = inference.shape(i);
      if (past.rank() != 4 || (past.known() && expected.known() && past != expected)) {
        return wrong_shape(text("input ", i), past, to_string(expected));
      }
    }
    return s;
  }

  Status add_keys(const Inference& inference, Sizes& s) const {
    const Shape& k = inference.shape(kKey);
    Shape expected;
    if (k.rank() == 5) {
      s.packing = Packing::KeysAndValues;
      if (inference.has(kValue))
        return wrong_shape("the keys (input 1)", k, "three dimensions beside values (input 2)");
      s.kv_len = k[1];
      s.v_head = s.head;
      expected = Shape{s.batch, s.kv_len, heads_, 2, s.head};
    } else if (!inference.has(kValue)) {
      return {Code::MissingInput, "the values (input 2) are missing"};
    } else if (k.rank() == 4) {
      s.packing = Packing::Outer;
      s.kv_len = k[2];
      expected = Shape{s.batch, heads_, s.kv_len, s.head};
      const Shape& v = inference.shape(kValue);
      s.v_head = v.rank() == 4 ? v[3] : kUnknownDim;
      const Shape like{s.batch, heads_, s.kv_len, s.v_head};
      if (v.rank() != 4 || differs(v, like)) return wrong_shape("the values (input 2)", v, to_string(like));
    } else {
      s.kv_len = k.rank() == 3 ? k[1] : kUnknownDim;
      expected = Shape{s.batch, s.kv_len, s.head < 0 ? kUnknownDim : s.head * heads_};
      const Shape& v = inference.shape(kValue);
      if (v.rank() != 3) return wrong_shape("the values (input 2)", v, "[batch,length,size]");
      NM_ASSIGN(s.v_head, share(kValue, v));
      if (differs(v, Shape{s.batch, s.kv_len, v[2]})) {
        return wrong_shape("the values (input 2)", v, text("as many rows as there are keys, ", to_string(expected)));
      }
    }
    if (k.rank() != expected.rank() || differs(k, expected)) {
      return wrong_shape("the keys (input 1)", k, to_string(expected));
    }
    return {};
  }

  static bool differs(const Shape& a, const Shape& b) {
    for (int i = 0; i < a.rank(); ++i) {
      if (a[i] >= 0 && b[i] >= 0 && a[i] != b[i]) return true;
    }
    return false;
  }

  Result<int64_t> share(size_t i, const Shape& s) const {
    if (s[2] < 0) return kUnknownDim;
    if (s[2] % heads_ != 0 || s[2] == 0) {
      return wrong_shape(text("input ", i), s, text("a last dimension that ", heads_, " heads share"));
    }
    return s[2] / heads_;
  }

  // Inference has checked the shapes already.
  Sizes run_sizes(const Execution& execution) const {
    const Tensor& q = execution.input(kQuery);
    Sizes s;
    s.batch = q.dim(0);
    s.q_len = q.dim(1);
    if (q.rank() == 5) {
      s.packing = Packing::All;
      s.kv_len = s.q_len;
      s.head = s.v_head = q.dim(4);
    } else {
      const Tensor& k = execution.input(kKey);
      s.head = q.dim(2) / heads_;
      s.packing = k.rank() == 5 ? Packing::KeysAndValues : k.rank() == 4 ? Packing::Outer : Packing::None;
      s.kv_len = k.dim(k.rank() == 4 ? 2 : 1);
      s.v_head = s.packing == Packing::KeysAndValues ? s.head
                 : s.packing == Packing::Outer       ? execution.input(kValue).dim(3)
                                                     : execution.input(kValue).dim(2) / heads_;
    }
    if (execution.has(kPastKey)) s.past = execution.input_shape(kPastKey)[2];
    return s;
  }

  // Queries with their bias; keys and values with theirs, behind those of the past, in the outputs when wanted.
  Status set_operands(Execution& execution, const Sizes& s, AttentionCall& call) const {
    const float* q = execution.data<float>(kQuery);
    const auto packed = [&](const float* p, int64_t parts, int64_t part) {
      const int64_t row = heads_ * parts * s.head;
      return Heads<const float>{p + part * s.head, s.kv_len * row, parts * s.head, row};
    };
    call.q = Heads<const float>::inner(q, s.q_len, s.head, heads_ * s.head);
    Heads<const float> k, v;
    if (s.packing == Packing::All) {
      call.q = packed(q, 3, 0);
      k = packed(q, 3, 1);
      v = packed(q, 3, 2);
    } else if (s.packing == Packing::KeysAndValues) {
      k = packed(execution.data<float>(kKey), 2, 0);
      v = packed(execution.data<float>(kKey), 2, 1);
    } else if (s.packing == Packing::Outer) {
      k = Heads<const float>::outer(execution.data<float>(kKey), heads_, s.kv_len, s.head);
      v = Heads<const float>::outer(execution.data<float>(kValue), heads_, s.kv_len, s.v_head);
    } else {
      k = Heads<const float>::inner(execution.data<float>(kKey), s.kv_len, s.head, heads_ * s.head);
      v = Heads<const float>::inner(execution.data<float>(kValue), s.kv_len, s.v_head, heads_ * s.v_head);
    }
    const float* bias = execution.has(kBias) ? execution.data<float>(kBias) : nullptr;
    if (bias != nullptr) {
      NM_ASSIGN(float* own, execution.scratch<float>(Size(s.batch) * s.q_len * heads_ * s.head));
      const auto to = Heads<float>::outer(own, heads_, s.q_len, s.head);
      copy_rows({s.batch, heads_, s.head, call.q, s.q_len, bias}, to);
      call.q = Heads<const float>::outer(own, heads_, s.q_len, s.head);
    }
    // Keys of another sequence have their bias already.
    if (s.packing == Packing::Outer) bias = nullptr;
    NM_ASSIGN(call.k, behind(execution, s, k, s.head, bias ? bias + heads_ * s.head : nullptr, kPastKey, 1));
    NM_ASSIGN(call.v, behind(execution, s, v, s.v_head, bias ? bias + 2 * heads_ * s.head : nullptr, kPastValue, 2));
    return {};
  }

  Result<StoredHeads> behind(Execution& execution, const Sizes& s, const Heads<const float>& now, int64_t size,
                             const float* bias, size_t past, size_t output) const {
    if (!execution.has(past) && !execution.wants(output) && bias == nullptr) return StoredHeads(now);
    return joined(execution, past, output, Shape{s.batch, heads_, s.total(), size}, s.past,
                  {s.batch, heads_, size, now, s.kv_len, bias});
  }

  int64_t heads_;
  bool causal_;
  float scale_;
  float hidden_;  // what a masked score is lowered by
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<MultiHeadAttention>(kMicrosoftDomain, "MultiHeadAttention", 1,
                                 {.inputs = 10, .outputs = 4, .layout = layout::opaque}),
};

NM_OPERATORS(multi_head_attention, kEntries)

}  // namespace nm
