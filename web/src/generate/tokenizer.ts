import { NeuromancerError } from '../api/errors.js';

/**
 * What this package needs of a tokenizer; that of `@huggingface/tokenizers` is one. `encode` gives ids, or an object that
 * has them.
 */
export interface Tokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): TokenList | { readonly ids: TokenList };
  decode(ids: number[], options?: { skip_special_tokens?: boolean }): string;
}

export type TokenList = readonly (number | bigint)[] | ArrayLike<number> | ArrayLike<bigint>;

/** What `@huggingface/jinja` makes of a model's chat template. */
export interface ChatTemplate {
  render(context: Record<string, unknown>): string;
}

export function tokens(list: TokenList): number[] {
  return Array.from(list as ArrayLike<number | bigint>, Number);
}

export function encode(tokenizer: Tokenizer | undefined, text: string, special = true): number[] {
  if (tokenizer === undefined) {
    throw new NeuromancerError(
      'invalid_argument',
      'Text needs a tokenizer: give textModel the option "tokenizer" (@huggingface/tokenizers makes one), or pass token ids.',
    );
  }
  const encoded = tokenizer.encode(text, { add_special_tokens: special });
  return tokens('ids' in encoded ? encoded.ids : encoded);
}
