import { logSoftmax } from '../values/softmax.js';
import type { LogitsProcessor } from './processor.js';
import { keepMarked, smallestUntil } from './select.js';

/** Leaves the tokens whose surprise is nearest to the expected one, which have the probability `p` together. */
export function typical(p: number): LogitsProcessor {
  return (logits) => {
    const logs = logSoftmax(logits);
    const probabilities = logs.map(Math.exp);
    let entropy = 0;
    for (let i = 0; i < logs.length; i++) {
      const probability = probabilities[i] as number;
      if (probability > 0) entropy -= probability * (logs[i] as number);
    }
    // A token that is ruled out is infinitely surprising.
    const keys = logs.map((log) => Math.abs(-log - entropy));
    keepMarked(logits, smallestUntil(keys, probabilities, p));
  };
}
