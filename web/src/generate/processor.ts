/** What a processor knows beside the logits. */
export interface Context {
  /** All tokens so far, the prompt's included. */
  readonly ids: readonly number[];
  /** How many of them are the prompt's. */
  readonly promptLength: number;
}

/** Changes the logits of the next token in place; -Infinity rules a token out. A promise is waited for. */
export type LogitsProcessor = (logits: Float32Array, context: Context) => void | Promise<void>;
