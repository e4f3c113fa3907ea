import { largest } from '../values/softmax.js';
import type { LogitsProcessor } from './processor.js';

/** Leaves the tokens that are at least `p` times as likely as the likeliest one. */
export function minP(p: number): LogitsProcessor {
  return (logits) => {
    const least = largest(logits) + Math.log(p);
    for (let i = 0; i < logits.length; i++) if ((logits[i] as number) < least) logits[i] = Number.NEGATIVE_INFINITY;
  };
}
