import type { LogitsProcessor } from './processor.js';

/**
 * Takes from the logits of tokens that were generated: `presence` once, `frequency` as often as the token is there. The
 * prompt's do not count.
 */
export function frequency(presence: number, frequency: number): LogitsProcessor {
  return (logits, { ids, promptLength }) => {
    const counts = new Map<number, number>();
    for (const id of ids.slice(promptLength)) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) {
      const logit = logits[id];
      if (logit !== undefined) logits[id] = logit - presence - frequency * count;
    }
  };
}
