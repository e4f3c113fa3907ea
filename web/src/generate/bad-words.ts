import type { LogitsProcessor } from './processor.js';

/** Rules out the last token of each list where the tokens before it have just been said. */
export function badWords(lists: readonly (readonly number[])[]): LogitsProcessor {
  return (logits, { ids }) => {
    for (const list of lists) {
      const before = list.length - 1;
      const last = list[before];
      const said = ids.length >= before && list.slice(0, before).every((id, i) => id === ids[ids.length - before + i]);
      if (last !== undefined && said) logits[last] = Number.NEGATIVE_INFINITY;
    }
  };
}
