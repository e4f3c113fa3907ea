import type { LogitsProcessor } from './processor.js';
import { keepMarked, smallestUntil } from './select.js';

/** Leaves the `k` likeliest tokens. */
export function topK(k: number): LogitsProcessor {
  return (logits) => {
    if (k >= logits.length) return;
    const keys = Float64Array.from(logits, (logit) => -logit);
    keepMarked(logits, smallestUntil(keys, new Uint8Array(keys.length).fill(1), k));
  };
}
