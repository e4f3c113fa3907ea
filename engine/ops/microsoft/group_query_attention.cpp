// com.microsoft's GroupQueryAttention, as decoders with a cache have it: heads share keys and values, positions are
// turned into the queries and keys, each sample has its own length.
#include <algorithm>
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/microsoft/attention_masks.h"
#include "engine/ops/nn/rotary.h"
#include "engine/tensor/edition.h"

namespace nm {
namespace {

constexpr size_t kQuery = 0, kKey = 1, kValue = 2, kPastKey = 3, kPastValue = 4, kLengths = 5, kTotal = 6, kCosines = 7,
                 kSines = 8, kPositions = 9, kScoreBias = 10, kSinks = 11, kQueryNorm = 14, kKeyNorm = 15, kInputs = 16;

struct GroupQuerySizes {
  int64_t batch = 0, length = 0, head = 0;
  int64_t past = 0;      // rows of the past's buffer
  int64_t total = 0;     // of the longest sample, past and new
  int64_t capacity = 0;  // rows of the present's buffer
};

class GroupQueryAttention final : public Operator {
 public:
  explicit GroupQueryAttention(Attributes& a)
      : heads_(a.integer("num_heads", 0)),
        kv_heads_(a.integer("kv_num_heads", 0)),
        scale_(a.number("scale", 0)),
        softcap_(a.number("softcap", 0)),
        window_(a.integer("local_window_size", -1)),
        rotary_(a.flag("do_rotary", false)),
        neighbours_(a.flag("rotary_interleaved", false)),
        smooth_(a.integer("smooth_softmax", -1) > 0),
        causal_(a.flag("causal", true)),
        scores_(a.integer("qk_output", 0)),
        query_epsilon_(a.number("q_norm_epsilon", a.number("qk_norm_epsilon", 1e-6f))),
        key_epsilon_(a.number("k_norm_epsilon", a.number("qk_norm_epsilon", 1e-6f))) {
    selection::note(selection::Part::States);
    constexpr int64_t kMost = 1 << 20;
    if (heads_ < 1 || kv_heads_ < 1 || heads_ > kMost || kv_heads_ > heads_ || heads_ % kv_heads_ != 0) {
      a.fail("the attributes 'num_heads' and 'kv_num_heads' must be given; the latter must divide the former");
    }
    if (window_ < -1 || window_ == 0) a.fail("the attribute 'local_window_size' must be -1 or positive");
    if (scores_ < 0 || scores_ > 2) a.fail("the attribute 'qk_output' must be 0, 1 or 2");
    if (a.flag("sliding_window_cache", false)) a.unsupported("the attribute 'sliding_window_cache' is not supported");
    a.ignore({"kv_cache_bit_width"});  // of a quantised cache
    for (const std::string_view name : {"k_quant_type", "v_quant_type"}) {
      if (a.string(name, "NONE") != "NONE") a.unsupported("a quantised cache is not supported");
    }
  }

  Status infer(Inference& inference) const override {
    for (const size_t i : {kQuery, kLengths, kTotal}) {
      if (!inference.has(i)) return {Code::MissingInput, text("input ", i, " is missing; the operator needs it")};
    }
    NM_TRY(check_tensors(inference, 1));
    for (size_t i = kInputs; i < inference.input_count(); ++i) {
      if (inference.has(i))
        return {Code::UnsupportedOperator, "the lengths of the new tokens (input 16) are not supported"};
    }
    for (const size_t i :
         {kQuery, kKey, kValue, kPastKey, kPastValue, kCosines, kSines, kScoreBias, kSinks, kQueryNorm, kKeyNorm}) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32, DType::Float16, DType::BFloat16}));
      if (inference.type(i) != DType::Undefined && inference.type(kQuery) != DType::Undefined &&
          inference.type(i) != inference.type(kQuery)) {
        return wrong_type(text("input ", i), inference.type(i), dtype_name(inference.type(kQuery)));
      }
    }
    for (const size_t i : {kLengths, kTotal}) NM_TRY(check_type(inference, i, text("input ", i), {DType::Int32}));
    NM_TRY(check_type(inference, kPositions, "the positions (input 9)", {DType::Int64}));
    NM_TRY(check_scalar(inference, kTotal, "the total length (input 6)"));
    if (inference.has(kKey) != inference.has(kValue) || inference.has(kPastKey) != inference.has(kPastValue) ||
        inference.has(kQueryNorm) != inference.has(kKeyNorm)) {
      return {Code::MissingInput, "keys and values, their pasts, and the norms of queries and keys come in pairs"};
    }
    if (rotary_ && (!inference.has(kCosines) || !inference.has(kSines))) {
      return {Code::MissingInput, "the attribute 'do_rotary' needs cosines and sines (inputs 7 and 8)"};
    }
    for (size_t o = 0; o < 4; ++o) inference.output(o, inference.type(kQuery));
    for (const size_t i : {kQuery, kKey, kValue, kPastKey, kPastValue}) {
      if (inference.has(i) && !inference.has_shape(i)) return {};
    }
    NM_ASSIGN(const GroupQuerySizes s, sizes(inference));
    const int64_t width = s.head < 0 ? kUnknownDim : s.head * heads_;
    inference.output(0, inference.type(kQuery), Shape{s.batch, s.length, width});
    for (const size_t o : {1, 2})
      inference.output(o, inference.type(kQuery), Shape{s.batch, kv_heads_, s.capacity, s.head});
    inference.output(3, inference.type(kQuery), Shape{s.batch, heads_, s.length, s.total});
    return check_others(inference, s);
  }

  Status run(Execution& execution) override {
    for (size_t i = 0; i < execution.input_count(); ++i) {
      const bool real = i != kLengths && i != kTotal && i != kPositions;
      if (real && execution.has(i) && execution.input_type(i) != DType::Float32) {
        return no_arithmetic(execution.input_type(i));
      }
    }
    const GroupQuerySizes s = run_sizes(execution);
    NM_ASSIGN(const int64_t* lengths, lengths_of(execution, s));
    const int64_t* pasts = lengths + s.batch;
    AttentionCall call;
    call.batch = s.batch;
    call.q_heads = heads_;
    call.kv_heads = kv_heads_;
    call.q_len = s.length;
    call.kv_len = s.total;
    call.head_size = call.v_size = s.head;
    call.y = Heads<float>::inner(execution.out<float>(0), s.length, s.head, heads_ * s.head);
    call.scale = scale_ != 0 ? scale_ : 1 / std::sqrt(static_cast<float>(s.head));
    call.softcap = softcap_;
    call.causal = causal_;
    call.left_window = window_ > 0 ? window_ - 1 : -1;
    call.lengths = lengths;
    call.offsets = pasts;
    set_score_bias(execution, kScoreBias, call);
    if (execution.has(kSinks)) {
      call.sinks = execution.data<float>(kSinks);
    } else if (smooth_) {
      NM_ASSIGN(float* sinks, execution.scratch<float>(Size(heads_)));
      std::fill_n(sinks, heads_, 0.f);
      call.sinks = sinks;
    }
    if (execution.wants(3)) {
      call.scores = execution.out<float>(3);
      call.scores_after = scores_ == 2 ? AttentionCall::Scores::Softmax : AttentionCall::Scores::Softcap;
    }
    NM_TRY(set_operands(execution, s, pasts, call));
    return attend(execution, call);
  }

  // A past that has room for all stays as long as it is.
  std::optional<size_t> growth(const Inference& inference, size_t o) const override {
    if (!inference.has(kPastKey) || (o != 1 && o != 2)) return std::nullopt;
    auto s = sizes(inference);
    if (!s.ok() || s->past < 0 || s->capacity <= s->past) return std::nullopt;
    return o == 1 ? kPastKey : kPastValue;
  }
  bool takes_growing(size_t i) const override { return i == kPastKey || i == kPastValue; }
  // It is then written where it is, as onnxruntime does where past and present are one buffer: what lies behind the
  // length of a sample stays.
  std::optional<size_t> rewrites(const Inference& inference, size_t o) const override {
    if (!inference.has(kPastKey) || (o != 1 && o != 2)) return std::nullopt;
    auto s = sizes(inference);
    if (!s.ok() || s->past < 0 || s->capacity != s->past) return std::nullopt;
    return o == 1 ? kPastKey : kPastValue;
  }
  Status written(const Execution& execution, Extents& list) const override {
    const GroupQuerySizes s = run_sizes(execution);
    NM_ASSIGN(const int64_t* lengths, lengths_of(execution, s));
    const Shape rows{kv_heads_, s.capacity, s.head};
    const Strides strides = row_major(rows);
    for (int64_t b = 0; b < s.batch; ++b) {
      const int64_t at = b * kv_heads_ * strides[0] + lengths[s.batch + b] * strides[1];
      NM_TRY(list.add(Shape{kv_heads_, s.length, s.head}, at, strides));
    }
    return {};
  }

  double flops(const Inference& inference) const override {
    auto s = sizes(inference);
    if (!s.ok() || s->total < 0) return 0;
    return 4.0 * static_cast<double>(s->batch * heads_ * s->length * s->total) * static_cast<double>(s->head);
  }

 private:
  Result<GroupQuerySizes> sizes(const Inference& inference) const {
    GroupQuerySizes s;
    const Shape& q = inference.shape(kQuery);
    if (q.rank() != 3) return wrong_shape("the queries (input 0)", q, "[batch,length,size]");
    s.batch = q[0];
    s.length = q[1];
    const int64_t shares = inference.has(kKey) ? heads_ : heads_ + 2 * kv_heads_;
    if (q[2] >= 0 && (q[2] % shares != 0 || q[2] == 0)) {
      return wrong_shape("the queries (input 0)", q, text("a last dimension that ", shares, " heads share"));
    }
    s.head = q[2] < 0 ? kUnknownDim : q[2] / shares;
    for (const size_t i : {kKey, kValue}) {
      if (!inference.has(i) || !inference.shape(i).known()) continue;
      const Shape expected{s.batch, s.length, s.head < 0 ? kUnknownDim : s.head * kv_heads_};
      if (expected.known() && inference.shape(i) != expected)
        return wrong_shape(text("input ", i), inference.shape(i), to_string(expected));
    }
    if (inference.has(kPastKey)) {
      s.past = inference.shape(kPastKey).rank() == 4 ? inference.shape(kPastKey)[2] : kUnknownDim;
      for (const size_t i : {kPastKey, kPastValue}) {
        const Shape expected{s.batch, kv_heads_, s.past, s.head};
        const Shape& past = inference.shape(i);
        if (past.rank() != 4 || (past.known() && expected.known() && past != expected)) {
          return wrong_shape(text("input ", i), past, to_string(expected));
        }
      }
    }
    const auto total = inference.integers(kTotal);
    s.total = total && total->size() == 1 ? (*total)[0] : kUnknownDim;
    if (total && (s.total < 1 || (s.length >= 0 && s.total < s.length))) {
      return Status(Code::InvalidData,
                    text("the total length (input 6) is ", s.total, ", less than the ", s.length, " new tokens"));
    }
    s.capacity = s.total < 0 || s.past < 0 ? kUnknownDim : std::max(s.total, s.past);
    return s;
  }

  // Inference has checked the shapes already.
  GroupQuerySizes run_sizes(const Execution& execution) const {
    const Tensor& q = execution.input(kQuery);
    GroupQuerySizes s;
    s.batch = q.dim(0);
    s.length = q.dim(1);
    s.head = q.dim(2) / (execution.has(kKey) ? heads_ : heads_ + 2 * kv_heads_);
    s.past = execution.has(kPastKey) ? execution.input_shape(kPastKey)[2] : 0;
    s.total = *execution.data<int32_t>(kTotal);
    s.capacity = std::max(s.total, s.past);
    return s;
  }

  // Of each sample, and then of each sample's past.
  static Result<const int64_t*> lengths_of(const Execution& execution, const GroupQuerySizes& s) {
    NM_ASSIGN(int64_t * lengths, execution.scratch<int64_t>(Size(2) * s.batch));
    int64_t* pasts = lengths + s.batch;
    for (int64_t b = 0; b < s.batch; ++b) {
      lengths[b] = int64_t{execution.data<int32_t>(kLengths)[b]} + 1;
      // The first tokens of a shorter sample are followed by padding.
      pasts[b] = s.total == s.length ? 0 : lengths[b] - s.length;
      if (lengths[b] < 1 || lengths[b] > s.total || pasts[b] < 0 || pasts[b] > s.past) {
        return Status(Code::InvalidData,
                      text("the length (input 5) ", lengths[b] - 1, " of sample ", b, " does not fit ", s.length,
                           " new tokens, a past of at most ", s.past, " and ", s.total, " in all"));
      }
    }
    return lengths;
  }

  Status check_others(const Inference& inference, const GroupQuerySizes& s) const {
    const auto known = [&](size_t i) { return inference.has_shape(i) && inference.shape(i).known(); };
    if (known(kLengths) && s.batch >= 0 && inference.shape(kLengths).count() != s.batch) {
      return wrong_shape("the lengths (input 5)", inference.shape(kLengths), to_string(Shape{s.batch}));
    }
    if (known(kPositions) && s.batch >= 0 && s.length >= 0 && inference.shape(kPositions) != Shape{s.batch, s.length}) {
      return wrong_shape("the positions (input 9)", inference.shape(kPositions), to_string(Shape{s.batch, s.length}));
    }
    if (known(kSinks) && inference.shape(kSinks) != Shape{heads_}) {
      return wrong_shape("the sinks (input 11)", inference.shape(kSinks), to_string(Shape{heads_}));
    }
    for (const size_t i : {kQueryNorm, kKeyNorm}) {
      if (known(i) && s.head >= 0 && inference.shape(i) != Shape{s.head}) {
        return wrong_shape(text("the norm's weights (input ", i, ")"), inference.shape(i), to_string(Shape{s.head}));
      }
    }
    if (rotary_ && known(kCosines) && known(kSines)) {
      const Shape& angles = inference.shape(kCosines);
      if (angles != inference.shape(kSines) || angles.rank() != 2 || (s.head >= 0 && angles[1] > s.head / 2)) {
        return wrong_shape("the cosines (input 7)", angles, "as the sines, [positions, half of a head at most]");
      }
    }
    return check_score_bias(inference, kScoreBias, s.batch, heads_, s.length, s.total);
  }

  Status set_operands(Execution& execution, const GroupQuerySizes& s, const int64_t* pasts, AttentionCall& call) const {
    const int64_t q_width = heads_ * s.head, kv_width = kv_heads_ * s.head;
    const float* q = execution.data<float>(kQuery);
    Heads<const float> k, v;
    if (execution.has(kKey)) {
      call.q = Heads<const float>::inner(q, s.length, s.head, q_width);
      k = Heads<const float>::inner(execution.data<float>(kKey), s.length, s.head, kv_width);
      v = Heads<const float>::inner(execution.data<float>(kValue), s.length, s.head, kv_width);
    } else {
      const int64_t width = q_width + 2 * kv_width;
      call.q = Heads<const float>::inner(q, s.length, s.head, width);
      k = Heads<const float>::inner(q + q_width, s.length, s.head, width);
      v = Heads<const float>::inner(q + q_width + kv_width, s.length, s.head, width);
    }
    NM_ASSIGN(call.q, prepared(execution, s, pasts, call.q, heads_, kQueryNorm, query_epsilon_));
    NM_ASSIGN(k, prepared(execution, s, pasts, k, kv_heads_, kKeyNorm, key_epsilon_));
    NM_ASSIGN(call.k, appended(execution, s, pasts, k, kPastKey, 1));
    NM_ASSIGN(call.v, appended(execution, s, pasts, v, kPastValue, 2));
    return {};
  }

  // Normalised and turned by their positions, where the node wants that.
  Result<Heads<const float>> prepared(Execution& execution, const GroupQuerySizes& s, const int64_t* pasts,
                                      const Heads<const float>& x, int64_t heads, size_t norm, float epsilon) const {
    if (!execution.has(norm) && !rotary_) return x;
    const int64_t half = rotary_ ? execution.input(kCosines).dim(1) : 0,
                  rows = rotary_ ? execution.input(kCosines).dim(0) : 0;
    const auto position = [&](int64_t b, int64_t i) {
      return execution.has(kPositions) ? execution.data<int64_t>(kPositions)[b * s.length + i] : pasts[b] + i;
    };
    for (int64_t i = 0; rotary_ && i < s.batch * s.length; ++i) {
      const int64_t p = position(i / s.length, i % s.length);
      if (p >= 0 && p < rows) continue;
      return Status(Code::InvalidData, text("the position ", p, " is outside of caches with ", rows, " rows"));
    }
    NM_ASSIGN(float* own, execution.scratch<float>(Size(s.batch) * s.length * heads * s.head));
    const auto to = Heads<float>::inner(own, s.length, s.head, heads * s.head);
    for_rows(s.batch * s.length, heads * s.head, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t b = r / s.length, i = r % s.length;
        for (int64_t h = 0; h < heads; ++h) {
          const float* from = x.at(b, h) + i * x.row;
          float* y = to.at(b, h) + i * to.row;
          if (execution.has(norm)) {
            kernels().rows.rms_norm(1, s.head, from, s.head, execution.data<float>(norm), epsilon, y, s.head, nullptr);
            from = y;
          }
          if (!rotary_) continue;
          const int64_t at = position(b, i) * half;
          turn_head(from, y, execution.data<float>(kCosines) + at, execution.data<float>(kSines) + at, 2 * half, s.head,
                    neighbours_);
        }
      }
    });
    return Heads<const float>::inner(own, s.length, s.head, heads * s.head);
  }

  static bool is_rewritten(const Execution& execution, size_t past, size_t output) {
    if (!execution.has(past) || !execution.wants(output) || execution.grows(output)) return false;
    const Tensor* before = execution.input_value(past).tensor();
    return before != nullptr && before->raw() == execution.output(output).raw();
  }

  // One sample's new rows.
  void add_rows(const Heads<const float>& now, int64_t b, const GroupQuerySizes& s, const Heads<float>& to,
                int64_t row) const {
    copy_rows({1, kv_heads_, s.head, {now.at(b, 0), now.batch, now.head, now.row}, s.length}, to.from_row(row));
  }

  // Behind each sample's own past, in a buffer whose other rows are zero.
  Result<StoredHeads> appended(Execution& execution, const GroupQuerySizes& s, const int64_t* pasts,
                               const Heads<const float>& now, size_t past, size_t output) const {
    if (!execution.has(past) && !execution.wants(output) && s.total == s.length) return StoredHeads(now);
    if (is_rewritten(execution, past, output)) {
      const auto to = Heads<float>::outer(execution.out<float>(output), kv_heads_, s.capacity, s.head);
      for (int64_t b = 0; b < s.batch; ++b) add_rows(now, b, s, {to.at(b, 0), to.batch, to.head, to.row}, pasts[b]);
      return StoredHeads(Heads<const float>::outer(to.data, kv_heads_, s.capacity, s.head));
    }
    // Where each sample fills all rows of the past, these are as they shall be.
    const bool filled = std::all_of(pasts, pasts + s.batch, [&](int64_t rows) { return rows == s.past; });
    const int64_t kept = filled ? s.past : 0;
    NM_ASSIGN(const Present p, present(execution, past, output, Shape{s.batch, kv_heads_, s.capacity, s.head}, kept));
    const Heads<float> to = p.now();
    Heads<const float> from;
    if (execution.has(past) && !filled) {
      NM_ASSIGN(const RowsTensor before, float_rows(execution, past));
      from = Heads<const float>::strided(static_cast<const float*>(before.rows.data), before.strides);
    }
    for (int64_t b = 0; b < s.batch; ++b) {
      const Heads<float> own{to.at(b, 0), to.batch, to.head, to.row};
      if (from.data != nullptr) {
        copy_rows({1, kv_heads_, s.head, {from.at(b, 0), from.batch, from.head, from.row}, pasts[b]}, own);
      }
      const int64_t begin = pasts[b] - kept, end = begin + s.length;
      add_rows(now, b, s, own, begin);
      for (int64_t h = 0; h < kv_heads_; ++h) {
        std::fill_n(to.at(b, h) + end * to.row, (s.capacity - kept - end) * s.head, 0.f);
      }
    }
    p.last.settle();
    return StoredHeads(p.all.rows, p.all.strides);
  }

  int64_t heads_, kv_heads_;
  float scale_, softcap_;
  int64_t window_;
  bool rotary_, neighbours_, smooth_, causal_;
  int64_t scores_;
  float query_epsilon_, key_epsilon_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<GroupQueryAttention>(kMicrosoftDomain, "GroupQueryAttention", 1,
                                  {.inputs = 17, .outputs = 4, .layout = layout::opaque}),
};

NM_OPERATORS(group_query_attention, kEntries)

}  // namespace nm
