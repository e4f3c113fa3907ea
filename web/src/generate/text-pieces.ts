import type { Tokenizer } from './tokenizer.js';

/** What a tokenizer writes for bytes that are no whole character yet. */
const unfinished = '\ufffd';

/**
 * Turns tokens into text as they come. A token alone has no text: characters are made of several, and some tokenizers
 * write a space only between words. So each piece is what the last few tokens add to their text together.
 */
export class TextPieces {
  readonly #tokenizer: Tokenizer;
  readonly #ids: number[];
  /** Where the tokens begin that are decoded again, and those that have given no text yet. */
  #from = 0;
  #done: number;

  /** `before` are tokens that the text follows. */
  constructor(tokenizer: Tokenizer, before: readonly number[] = []) {
    this.#tokenizer = tokenizer;
    this.#ids = before.slice(-5);
    this.#done = this.#ids.length;
  }

  add(id: number): string {
    this.#ids.push(id);
    const text = this.#decode(this.#ids.length);
    if (text.endsWith(unfinished)) return '';
    return this.#take(text);
  }

  /** What is left when no more tokens come. */
  end(): string {
    return this.#take(this.#decode(this.#ids.length));
  }

  #decode(end: number): string {
    return this.#tokenizer.decode(this.#ids.slice(this.#from, end), { skip_special_tokens: true });
  }

  #take(text: string): string {
    const piece = text.slice(this.#decode(this.#done).length);
    this.#from = this.#done;
    this.#done = this.#ids.length;
    return piece;
  }
}
