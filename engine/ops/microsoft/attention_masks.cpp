#include "engine/ops/microsoft/attention_masks.h"

#include "engine/op/check.h"

namespace nm {

Status check_key_mask(const Inference& inference, size_t i, int64_t batch, int64_t queries, int64_t keys) {
  NM_TRY(check_type(inference, i, text("the mask (input ", i, ")"), {DType::Int32}));
  if (!inference.has_shape(i) || !inference.shape(i).known() || batch < 0 || queries < 0 || keys < 0) return {};
  const Shape& m = inference.shape(i);
  const bool square = m.rank() == 4 && m[0] == batch && m[1] == 1 && m[2] >= keys && m[3] >= keys;
  if (m == Shape{batch} || m == Shape{2 * batch} || m == Shape{3 * batch + 2} || m == Shape{batch, keys} ||
      m == Shape{batch, queries, keys} || square) {
    return {};
  }
  return wrong_shape(text("the mask (input ", i, ")"), m,
                     text("[", batch, "], [", 2 * batch, "], [", 3 * batch + 2, "], [", batch, ",", keys, "], [", batch,
                          ",", queries, ",", keys, "] or [", batch, ",1,largest,largest]"));
}

Status check_score_bias(const Inference& inference, size_t i, int64_t batch, int64_t heads, int64_t queries,
                        int64_t keys) {
  if (!inference.has_shape(i) || !inference.shape(i).known() || batch < 0 || heads < 0 || queries < 0 || keys < 0)
    return {};
  const Shape& b = inference.shape(i);
  const bool fits =
      b.rank() == 4 && (b[0] == 1 || b[0] == batch) && (b[1] == 1 || b[1] == heads) && b[2] == queries && b[3] == keys;
  if (fits) return {};
  return wrong_shape(text("the score bias (input ", i, ")"), b, to_string(Shape{batch, heads, queries, keys}));
}

Status set_key_mask(const Execution& execution, size_t i, float hidden, AttentionCall& call) {
  if (!execution.has(i)) return {};
  const Tensor& mask = execution.input(i);
  const int32_t* flags = mask.data<int32_t>();
  const int64_t keys = call.kv_len, batch = call.batch;
  const int64_t rows = mask.rank() < 3 ? 1 : call.q_len;  // for each sample
  NM_ASSIGN(float* bias, execution.scratch<float>(Size(batch) * rows * keys));
  for (int64_t r = 0; r < batch * rows; ++r) {
    const int64_t b = r / rows;
    const int32_t* line = flags;
    if (mask.rank() == 2 || mask.rank() == 3) line += r * keys;
    if (mask.rank() == 4) line += (b * mask.dim(2) + keys - call.q_len + r % rows) * mask.dim(3);
    const bool starts = mask.rank() == 1 && mask.count() == 2 * batch && batch > 0;
    for (int64_t j = 0; j < keys; ++j) {
      const bool seen = mask.rank() > 1 ? line[j] != 0 : j < flags[b] && (!starts || j >= flags[batch + b]);
      bias[r * keys + j] = seen ? 0 : hidden;
    }
  }
  AttentionMask& m = call.padding;
  m.bias = bias;
  m.batch = rows * keys;
  m.row = rows == 1 ? 0 : keys;
  m.columns = keys;
  return {};
}

void set_score_bias(const Execution& execution, size_t i, AttentionCall& call) {
  if (!execution.has(i)) return;
  const Tensor& bias = execution.input(i);
  const int64_t plane = bias.dim(2) * bias.dim(3);
  AttentionMask& m = call.mask;
  m.bias = bias.data<float>();
  m.row = bias.dim(3);
  m.head = bias.dim(1) == 1 ? 0 : plane;
  m.batch = bias.dim(0) == 1 ? 0 : bias.dim(1) * plane;
  m.columns = call.kv_len;
}

}  // namespace nm
