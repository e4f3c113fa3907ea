import type { LogitsProcessor } from './processor.js';

/** Rules out each token that would make `size` tokens in a row for a second time. */
export function noRepeat(size: number): LogitsProcessor {
  return (logits, { ids }) => {
    const start = ids.length - (size - 1);
    for (let at = 0; at + size <= ids.length; at++) {
      let same = true;
      for (let i = 0; same && i < size - 1; i++) same = ids[at + i] === ids[start + i];
      if (same) logits[ids[at + size - 1] as number] = Number.NEGATIVE_INFINITY;
    }
  };
}
