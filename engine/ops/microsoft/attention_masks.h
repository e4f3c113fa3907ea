// The masks of com.microsoft's attention operators: int32 that say which keys count, and floats that are added.
#pragma once
#include "engine/ops/nn/attention_core.h"

namespace nm {

// What the mask's shape may be for `keys` keys, of which `fresh` are not of the past: a count for each sample, [batch];
// ends and starts, [2·batch]; counts and offsets, [3·batch + 2]; a flag for each key, [batch, keys]; for each query and
// key, [batch, queries, keys]; or a square of them that is as large as any sequence, [batch, 1, largest, largest].
Status check_key_mask(const Inference& inference, size_t i, int64_t batch, int64_t queries, int64_t keys);
// The bias that is added to the scores: [batch or 1, heads or 1, queries, keys].
Status check_score_bias(const Inference& inference, size_t i, int64_t batch, int64_t heads, int64_t queries,
                        int64_t keys);

// Sets call.padding, with `hidden` for keys that do not count, and call.mask.
Status set_key_mask(const Execution& execution, size_t i, float hidden, AttentionCall& call);
void set_score_bias(const Execution& execution, size_t i, AttentionCall& call);

}  // namespace nm
