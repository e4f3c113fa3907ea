// ai.onnx Attention (operator sets 23 to 25), with masks, grouped heads, and caches of keys and values.
//
// A pass adds what arithmetic says of masks: nm_low, the score of what a mask of bools hides; input 7, bools that hide
// scores before the mask of numbers (input 3) is added; and nm_nan_rows, whether a row of which nothing is seen is NaN
// ("kept") or all rows that are NaN are 0 ("zero").
#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/nn/attention_core.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

constexpr size_t kKey = 1, kValue = 2, kMask = 3, kPastKey = 4, kPastValue = 5, kLengths = 6, kSeen = 7;

struct Sizes {
  int64_t batch = 0, q_heads = 0, kv_heads = 0, q_len = 0, kv_len = 0, past = 0, head = 0, v_head = 0;
  int64_t total() const { return past < 0 || kv_len < 0 ? kUnknownDim : past + kv_len; }
};

class Attention final : public Operator {
 public:
  explicit Attention(Attributes& a)
      : causal_(a.flag("is_causal", false)),
        q_heads_(a.integer("q_num_heads", 0)),
        kv_heads_(a.integer("kv_num_heads", 0)),
        scale_(a.number("scale", 0)),
        has_scale_(a.has("scale")),
        softcap_(a.number("softcap", 0)),
        scores_mode_(a.integer("qk_matmul_output_mode", 0)),
        left_window_(a.integer("left_window_size", -1)),
        right_window_(a.integer("right_window_size", -1)),
        low_(a.number("nm_low", -INFINITY)),
        nan_rows_(nan_rows_named(a.string("nm_nan_rows", ""))) {
    selection::note(selection::Part::States);
    a.ignore({"softmax_precision"});  // always float32
    if (scores_mode_ < 0 || scores_mode_ > 3) a.fail("the attribute 'qk_matmul_output_mode' must be 0, 1, 2 or 3");
    if (left_window_ < -1 || right_window_ < -1) a.fail("a window's size must be -1 or not negative");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    for (const size_t i : {size_t{0}, size_t{1}, size_t{2}, kPastKey, kPastValue}) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32, DType::Float16, DType::BFloat16}));
    }
    if (inference.type(kMask) != DType::Bool) NM_TRY(check_number(inference, kMask, "the mask"));
    NM_TRY(check_type(inference, kLengths, "the lengths (input 6)", {DType::Int64}));
    NM_TRY(check_type(inference, kSeen, "the mask of bools (input 7)", {DType::Bool}));
    if (inference.has(kPastKey) != inference.has(kPastValue)) {
      return {Code::MissingInput, "past keys and past values must be given together (inputs 4 and 5)"};
    }
    if (inference.has(kPastKey) && inference.has(kLengths))
      return {Code::InvalidModel, "past keys and lengths exclude each other"};
    for (size_t o = 0; o < 4; ++o) inference.output(o, inference.type(0));
    for (size_t i = 0; i < 3; ++i) {
      if (!inference.has_shape(i)) return {};
    }
    if (inference.has(kPastKey) && (!inference.has_shape(kPastKey) || !inference.has_shape(kPastValue))) return {};
    NM_ASSIGN(const Sizes s, sizes(inference));
    const bool flat = inference.shape(0).rank() == 3;
    const int64_t width = s.v_head < 0 || s.q_heads < 0 ? kUnknownDim : s.v_head * s.q_heads;
    inference.output(0, inference.type(0),
                     flat ? Shape{s.batch, s.q_len, width} : Shape{s.batch, s.q_heads, s.q_len, s.v_head});
    inference.output(1, inference.type(1), Shape{s.batch, s.kv_heads, s.total(), s.head});
    inference.output(2, inference.type(2), Shape{s.batch, s.kv_heads, s.total(), s.v_head});
    const Shape scores{s.batch, s.q_heads, s.q_len, s.total()};
    inference.output(3, inference.type(0), scores);
    return check_masks(inference, s, scores);
  }

  Status run(Execution& execution) override {
    const Tensor& q = execution.input(0);
    if (q.dtype() != DType::Float32) return no_arithmetic(q.dtype());
    for (const size_t i : {kKey, kValue, kPastKey, kPastValue}) {
      if (execution.has(i) && execution.input_type(i) != DType::Float32) return no_arithmetic(execution.input_type(i));
    }
    const bool flat = q.rank() == 3;
    const Sizes s = run_sizes(execution, flat);
    AttentionCall call;
    call.batch = s.batch;
    call.q_heads = s.q_heads;
    call.kv_heads = s.kv_heads;
    call.q_len = s.q_len;
    call.kv_len = s.total();
    call.head_size = s.head;
    call.v_size = s.v_head;
    call.q = heads(q.data<float>(), flat, s.q_heads, s.q_len, s.head);
    NM_ASSIGN(call.k, cached(execution, kKey, kPastKey, flat, s, s.head));
    NM_ASSIGN(call.v, cached(execution, kValue, kPastValue, flat, s, s.v_head));
    call.y = heads(execution.out<float>(0), flat, s.q_heads, s.q_len, s.v_head);
    call.scale = has_scale_ ? scale_ : 1 / std::sqrt(static_cast<float>(s.head));
    call.softcap = softcap_;
    call.causal = causal_;
    call.left_window = left_window_;
    call.right_window = right_window_;
    call.offset = s.past;
    call.low = low_;
    call.nan_rows = nan_rows_;
    if (execution.has(kLengths)) call.lengths = execution.data<int64_t>(kLengths);
    if (execution.has(kSeen)) NM_TRY(set_mask(execution, kSeen, call.mask));
    if (execution.has(kMask)) NM_TRY(set_mask(execution, kMask, execution.has(kSeen) ? call.padding : call.mask));
    if (execution.wants(3)) {
      call.scores = execution.out<float>(3);
      call.scores_after = static_cast<AttentionCall::Scores>(scores_mode_);
    }
    return attend(execution, call);
  }

  std::optional<size_t> growth(const Inference& inference, size_t o) const override {
    if (!inference.has(kPastKey) || (o != 1 && o != 2)) return std::nullopt;
    return o == 1 ? kPastKey : kPastValue;
  }
  bool takes_growing(size_t i) const override { return i == kKey || i == kValue || i == kPastKey || i == kPastValue; }

  double flops(const Inference& inference) const override {
    auto s = sizes(inference);
    if (!s.ok() || s->total() < 0) return 0;
    return 2.0 * static_cast<double>(s->batch * s->q_heads * s->q_len * s->total()) *
           static_cast<double>(s->head + s->v_head);
  }

 private:
  static AttentionCall::NanRows nan_rows_named(std::string_view name) {
    if (name == "kept") return AttentionCall::NanRows::Kept;
    return name == "zero" ? AttentionCall::NanRows::Zero : AttentionCall::NanRows::Standard;
  }

  // Rows and heads of [batch, heads, rows, size] or [batch, rows, heads·size].
  Result<Sizes> sizes(const Inference& inference) const {
    Sizes s;
    const Shape &q = inference.shape(0), &k = inference.shape(1), &v = inference.shape(2);
    const int rank = q.rank();
    for (size_t i = 0; i < 3; ++i) {
      if ((rank != 3 && rank != 4) || inference.shape(i).rank() != rank) {
        return wrong_shape(text("input ", i), inference.shape(i),
                           "three or four dimensions, as many for queries, keys and values");
      }
    }
    s.batch = q[0];
    if (rank == 3) {
      if (q_heads_ < 1 || kv_heads_ < 1) {
        return Status(Code::InvalidModel,
                      "inputs of three dimensions need the attributes 'q_num_heads' and 'kv_num_heads'");
      }
      s.q_heads = q_heads_;
      s.kv_heads = kv_heads_;
      s.q_len = q[1];
      s.kv_len = k[1];
      NM_ASSIGN(s.head, share(q, q_heads_));
      NM_ASSIGN(s.v_head, share(v, kv_heads_));
      NM_ASSIGN(const int64_t k_head, share(k, kv_heads_));
      if (s.head >= 0 && k_head >= 0 && s.head != k_head)
        return wrong_shape("the keys (input 1)", k, text("heads of ", s.head));
    } else {
      s.q_heads = q[1];
      s.kv_heads = k[1];
      s.q_len = q[2];
      s.kv_len = k[2];
      s.head = q[3];
      s.v_head = v[3];
      if (k[3] >= 0 && s.head >= 0 && k[3] != s.head)
        return wrong_shape("the keys (input 1)", k, text("heads of ", s.head));
      if (v[1] >= 0 && s.kv_heads >= 0 && v[1] != s.kv_heads)
        return wrong_shape("the values (input 2)", v, text(s.kv_heads, " heads"));
    }
    const int length_axis = rank == 3 ? 1 : 2;
    for (const int i : {1, 2}) {
      const Shape& shape = inference.shape(static_cast<size_t>(i));
      if (shape[0] >= 0 && s.batch >= 0 && shape[0] != s.batch)
        return wrong_shape(text("input ", i), shape, text("a batch of ", s.batch));
    }
    if (v[length_axis] >= 0 && s.kv_len >= 0 && v[length_axis] != s.kv_len) {
      return wrong_shape("the values (input 2)", v, text("as many rows as there are keys, ", s.kv_len));
    }
    if (s.q_heads >= 0 && s.kv_heads >= 0 && (s.kv_heads == 0 || s.q_heads % s.kv_heads != 0)) {
      return Status(Code::ShapeMismatch,
                    text(s.q_heads, " query heads cannot share ", s.kv_heads, " heads of keys evenly"));
    }
    if (!inference.has(kPastKey)) return s;
    s.past = inference.shape(kPastKey).rank() == 4 ? inference.shape(kPastKey)[2] : kUnknownDim;
    for (const size_t i : {kPastKey, kPastValue}) {
      const Shape expected{s.batch, s.kv_heads, s.past, i == kPastKey ? s.head : s.v_head};
      const Shape& past = inference.shape(i);
      if (past.rank() != 4 || (past.known() && expected.known() && past != expected)) {
        return wrong_shape(text("input ", i), past, to_string(expected));
      }
    }
    return s;
  }

  static Result<int64_t> share(const Shape& s, int64_t heads) {
    if (s[2] < 0) return kUnknownDim;
    if (s[2] % heads != 0) return wrong_shape("an input", s, text("a last dimension that ", heads, " heads share"));
    return s[2] / heads;
  }

  static Status check_masks(const Inference& inference, const Sizes& s, const Shape& scores) {
    if (inference.has_shape(kLengths) && inference.shape(kLengths).known() && s.batch >= 0 &&
        inference.shape(kLengths) != Shape{s.batch}) {
      return wrong_shape("the lengths (input 6)", inference.shape(kLengths), to_string(Shape{s.batch}));
    }
    for (const size_t i : {kMask, kSeen}) {
      if (!inference.has_shape(i) || !inference.shape(i).known() || !scores.known()) continue;
      const Shape& mask = inference.shape(i);
      Shape covered = scores;  // the mask may end before the keys do
      if (mask.rank() > 0 && mask.back() > 1 && mask.back() < scores[3]) covered[3] = mask.back();
      const auto both = broadcast_shape(covered, mask);
      if (both && *both == covered) continue;
      return wrong_shape(text("the mask (input ", i, ")"), mask,
                         text("a shape that broadcasts to ", to_string(scores)));
    }
    return {};
  }

  // Inference has checked the shapes already.
  Sizes run_sizes(const Execution& execution, bool flat) const {
    const Shape &q = execution.input(0).shape(), &k = execution.input_shape(kKey), &v = execution.input_shape(kValue);
    Sizes s;
    s.batch = q[0];
    s.q_heads = flat ? q_heads_ : q[1];
    s.kv_heads = flat ? kv_heads_ : k[1];
    s.q_len = q[flat ? 1 : 2];
    s.kv_len = k[flat ? 1 : 2];
    s.head = flat ? q[2] / q_heads_ : q[3];
    s.v_head = flat ? v[2] / kv_heads_ : v[3];
    if (execution.has(kPastKey)) s.past = execution.input_shape(kPastKey)[2];
    return s;
  }

  template <class T>
  static Heads<T> heads(T* data, bool flat, int64_t count, int64_t rows, int64_t size) {
    return flat ? Heads<T>::inner(data, rows, size, count * size) : Heads<T>::outer(data, count, rows, size);
  }

  // Keys or values behind those of the past; in the output for the present ones when somebody wants it.
  static Result<StoredHeads> cached(Execution& execution, size_t input, size_t past, bool flat, const Sizes& s,
                                    int64_t size) {
    const auto of = [&](const Strides& own) { return flat ? Strides{own[0], size, own[1]} : own; };
    if (!execution.has(past) && !execution.wants(input)) {
      const RowsTensor own = execution.rows_input(input);
      return StoredHeads(own.rows, of(own.strides));
    }
    NM_ASSIGN(const RowsTensor own, float_rows(execution, input));
    const auto now = Heads<const float>::strided(static_cast<const float*>(own.rows.data), of(own.strides));
    return joined(execution, past, input, Shape{s.batch, s.kv_heads, s.total(), size}, s.past,
                  {s.batch, s.kv_heads, size, now, s.kv_len});
  }

  // Numbers of any type are added to the scores.
  static Status set_mask(const Execution& execution, size_t input, AttentionMask& m) {
    const Tensor& t = execution.input(input);
    if (t.dtype() == DType::Bool) {
      m.seen = t.data<bool>();
    } else if (t.dtype() == DType::Float32) {
      m.bias = t.data<float>();
    } else {
      NM_ASSIGN(float* bias, execution.scratch<float>(Size(t.count())));
      NM_TRY(with_number(t.dtype(), [&]<class T>() -> Status {
        for (int64_t i = 0; i < t.count(); ++i) bias[i] = static_cast<float>(t.data<T>()[i]);
        return {};
      }));
      m.bias = bias;
    }
    int64_t* const steps[] = {&m.column, &m.row, &m.head, &m.batch};
    int64_t size = 1;
    for (int i = 0; i < 4; ++i) {
      const int64_t dim = i < t.rank() ? t.dim(t.rank() - 1 - i) : 1;
      *steps[i] = dim == 1 ? 0 : size;
      size *= dim;
    }
    m.columns = t.rank() > 0 ? t.shape().back() : 1;
    return {};
  }

  bool causal_;
  int64_t q_heads_, kv_heads_;
  float scale_;
  bool has_scale_;
  float softcap_;
  int64_t scores_mode_;
  int64_t left_window_, right_window_;
  float low_;
  AttentionCall::NanRows nan_rows_;
};

}  // namespace

constexpr AttributeRange kAttentionAttributes[] = {{"left_window_size", 25}, {"right_window_size", 25}};

constexpr OperatorEntry kEntries[] = {
    entry<Attention>("Attention", 23,
                     {.inputs = 6,
                      .outputs = 4,
                      .layout = layout::opaque,
                      .single_precision = true,
                      .attributes = kAttentionAttributes}),
    entry<Attention>("Attention", 24,
                     {.inputs = 7,
                      .outputs = 4,
                      .layout = layout::opaque,
                      .single_precision = true,
                      .attributes = kAttentionAttributes}),
};

NM_OPERATORS(attention, kEntries)

}  // namespace nm
