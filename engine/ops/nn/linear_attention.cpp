// LinearAttention: attention without a softmax, as a recurrence over a state [key size, value size] for each head.
#include <algorithm>
#include <cmath>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

constexpr size_t kPast = 3, kDecay = 4, kBeta = 5;

class LinearAttention final : public Operator {
 public:
  explicit LinearAttention(Attributes& a)
      : q_heads_(a.integer("q_num_heads", 0)), kv_heads_(a.integer("kv_num_heads", 0)), scale_(a.number("scale", 0)) {
    a.ignore({"chunk_size"});  // a hint for other ways to compute the same
    a.require("q_num_heads");
    a.require("kv_num_heads");
    if (q_heads_ < 1 || kv_heads_ < 1 || q_heads_ % kv_heads_ != 0) {
      a.fail(text(q_heads_, " query heads cannot share ", kv_heads_, " heads of keys evenly"));
    }
    const std::string rule = a.string("update_rule", "gated_delta");
    if (rule != "linear" && rule != "gated" && rule != "delta" && rule != "gated_delta") {
      a.fail(text("the attribute 'update_rule' is '", rule, "'; expected linear, gated, delta or gated_delta"));
    }
    gated_ = rule.starts_with("gated");
    corrected_ = rule.ends_with("delta");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(common_type(inference, 0, 3).take_status());
    for (size_t i = 0; i < inference.input_count(); ++i) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32, DType::Float16, DType::BFloat16}));
    }
    if (gated_ != inference.has(kDecay)) {
      return {gated_ ? Code::MissingInput : Code::InvalidModel,
              "the decay (input 4) belongs to the gated update rules"};
    }
    if (corrected_ != inference.has(kBeta)) {
      return {corrected_ ? Code::MissingInput : Code::InvalidModel, "beta (input 5) belongs to the delta update rules"};
    }
    const DType state_type = inference.has(kPast) ? inference.type(kPast) : inference.type(0);
    inference.output(0, inference.type(0));
    inference.output(1, state_type);
    if (!inference.has_shape(0) || !inference.has_shape(1) || !inference.has_shape(2)) return {};
    const Shape& q = inference.shape(0);
    for (size_t i = 0; i < 3; ++i) {
      const Shape& s = inference.shape(i);
      const int64_t heads = i == 0 ? q_heads_ : kv_heads_;
      const bool fits = s.rank() == 3 && (s[2] < 0 || s[2] % heads == 0) && same(s[0], q[0]) && same(s[1], q[1]);
      if (!fits) return wrong_shape(text("input ", i), s, text("[batch, time, ", heads, " heads of one size]"));
    }
    const int64_t key = share(q[2], q_heads_);
    const int64_t value = share(inference.shape(2)[2], kv_heads_);
    if (!same(share(inference.shape(1)[2], kv_heads_), key)) {
      return wrong_shape("the keys", inference.shape(1), text("heads of ", key));
    }
    const Shape state{q[0], kv_heads_, key, value};
    inference.output(0, inference.type(0), Shape{q[0], q[1], value < 0 ? kUnknownDim : value * q_heads_});
    inference.output(1, state_type, state);
    if (inference.has_shape(kPast) && inference.shape(kPast).known() && state.known() &&
        inference.shape(kPast) != state) {
      return wrong_shape("the past state", inference.shape(kPast), to_string(state));
    }
    const int64_t decays = key < 0 ? kUnknownDim : key * kv_heads_;
    NM_TRY(check_gate(inference, kDecay, "the decay", kv_heads_, decays));
    return check_gate(inference, kBeta, "beta", kv_heads_, 1);
  }

  Status run(Execution& execution) override {
    for (size_t i = 0; i < execution.input_count(); ++i) {
      if (execution.has(i) && execution.input(i).dtype() != DType::Float32)
        return no_arithmetic(execution.input(i).dtype());
    }
    const int64_t key = execution.input(0).dim(2) / q_heads_;
    const int64_t value = execution.input(2).dim(2) / kv_heads_;
    const int64_t heads = execution.input(0).dim(0) * kv_heads_;
    float* states = nullptr;
    if (execution.wants(1)) {
      states = execution.out<float>(1);
    } else {
      NM_ASSIGN(states, execution.scratch<float>(Size(heads) * key * value));
    }
    if (execution.has(kPast)) {
      std::copy_n(execution.data<float>(kPast), heads * key * value, states);
    } else {
      std::fill_n(states, heads * key * value, 0.f);
    }
    NM_ASSIGN(float* changes, execution.scratch<float>(Size(heads) * value));
    thread_pool::parallel_for(heads, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t h = begin; h < end; ++h) {
        attend(execution, h / kv_heads_, h % kv_heads_, key, value, states + h * key * value, changes + h * value);
      }
    });
    return {};
  }

  double flops(const Inference& inference) const override {
    const Shape& q = inference.shape(0);
    return 2 * static_cast<double>(q.count()) * static_cast<double>(inference.shape(2)[2] / kv_heads_) *
           (corrected_ ? 3 : 2);
  }

 private:
  static bool same(int64_t a, int64_t b) { return a == b || a < 0 || b < 0; }
  static int64_t share(int64_t width, int64_t heads) { return width < 0 ? kUnknownDim : width / heads; }

  static Status check_gate(const Inference& inference, size_t i, std::string_view what, int64_t one, int64_t other) {
    if (!inference.has_shape(i)) return {};
    const Shape& s = inference.shape(i);
    const Shape& q = inference.shape(0);
    const bool fits = s.rank() == 3 && same(s[0], q[0]) && same(s[1], q[1]) && (same(s[2], one) || same(s[2], other));
    return fits ? Status() : wrong_shape(what, s, text("[batch, time, ", one, " or ", other, "]"));
  }

  // One head of keys and values, with the query heads that share it.
  void attend(Execution& execution, int64_t b, int64_t head, int64_t key, int64_t value, float* state,
              float* change) const {
    const int64_t group = q_heads_ / kv_heads_;
    const int64_t time = execution.input(0).dim(1);
    const float scale = scale_ != 0 ? scale_ : 1 / std::sqrt(static_cast<float>(key));
    for (int64_t at = b * time; at < (b + 1) * time; ++at) {
      const float* k = execution.data<float>(1) + (at * kv_heads_ + head) * key;
      const float* v = execution.data<float>(2) + (at * kv_heads_ + head) * value;
      if (gated_) {
        const int64_t width = execution.input(kDecay).dim(2);
        const bool each = width != kv_heads_ || key == 1;
        const float* decay = execution.data<float>(kDecay) + at * width + (each ? head * key : head);
        for (int64_t i = 0; i < key; ++i) {
          const float keep = std::exp(decay[each ? i : 0]);
          for (int64_t j = 0; j < value; ++j) state[i * value + j] *= keep;
        }
      }
      std::copy_n(v, value, change);
      if (corrected_) {
        const int64_t width = execution.input(kBeta).dim(2);
        const float beta = execution.data<float>(kBeta)[at * width + (width == 1 ? 0 : head)];
        accumulate(k, state, key, value, -1, change);
        for (int64_t j = 0; j < value; ++j) change[j] *= beta;
      }
      for (int64_t i = 0; i < key; ++i) {
        for (int64_t j = 0; j < value; ++j) state[i * value + j] += k[i] * change[j];
      }
      if (!execution.wants(0)) continue;
      for (int64_t h = head * group; h < (head + 1) * group; ++h) {
        float* y = execution.out<float>(0) + (at * q_heads_ + h) * value;
        std::fill_n(y, value, 0.f);
        accumulate(execution.data<float>(0) + (at * q_heads_ + h) * key, state, key, value, scale, y);
      }
    }
  }

  // y += scale · xᵀ·state
  static void accumulate(const float* x, const float* state, int64_t key, int64_t value, float scale, float* y) {
    for (int64_t i = 0; i < key; ++i) {
      const float weight = scale * x[i];
      for (int64_t j = 0; j < value; ++j) y[j] += weight * state[i * value + j];
    }
  }

  int64_t q_heads_, kv_heads_;
  float scale_;  // 0: by the size of the keys
  bool gated_ = false;
  bool corrected_ = false;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<LinearAttention>("LinearAttention", 27, {.inputs = 6, .outputs = 2, .layout = layout::opaque}),
};

NM_OPERATORS(linear_attention, kEntries)

}  // namespace nm
