import type { LogitsProcessor } from './processor.js';

/**
 * Makes tokens that are there already, in the prompt too, less likely: positive logits are divided by the penalty,
 * negative ones multiplied. 1 changes nothing.
 */
export function repetition(penalty: number): LogitsProcessor {
  return (logits, { ids }) => {
    for (const id of new Set(ids)) {
      const logit = logits[id];
      if (logit !== undefined) logits[id] = logit > 0 ? logit / penalty : logit * penalty;
    }
  };
}
