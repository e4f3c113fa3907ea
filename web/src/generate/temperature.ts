import type { LogitsProcessor } from './processor.js';

/** Above 1 the choice is more even, below 1 the likely tokens are likelier still. */
export function temperature(value: number): LogitsProcessor {
  return (logits) => {
    for (let i = 0; i < logits.length; i++) logits[i] = (logits[i] as number) / value;
  };
}
