import { softmax } from '../values/softmax.js';
import type { LogitsProcessor } from './processor.js';
import { keepMarked, smallestUntil } from './select.js';

/** Leaves the likeliest tokens that are the next one with the probability `p` together. */
export function topP(p: number): LogitsProcessor {
  return (logits) => {
    if (p >= 1) return;
    const keys = Float64Array.from(logits, (logit) => -logit);
    keepMarked(logits, smallestUntil(keys, softmax(logits), p));
  };
}
