import type { WebAbortSignal } from '../host/host-types.js';
import { likeliest } from './choose.js';
import type { Decoder } from './decoder.js';

/** A small model that guesses what a large one will write; the large one checks several guesses in one run. */
export class Draft {
  readonly #newDecoder: () => Decoder;
  /** Has read the beginning of the text, and nothing that was only guessed. */
  #decoder: Decoder | undefined;
  /** Goes on from there and has read its own guesses. */
  #ahead: Decoder | undefined;

  constructor(newDecoder: () => Decoder) {
    this.#newDecoder = newDecoder;
  }

  /** The likeliest `most` tokens behind `ids`, up to the first that is none of the large model's `words`. */
  async guess(
    ids: readonly number[],
    most: number,
    words: number,
    signal: WebAbortSignal | undefined,
  ): Promise<readonly number[]> {
    if (most <= 0) return [];
    let decoder = this.#settle(ids);
    let common = 0;
    while (common < Math.min(decoder.ids.length, ids.length - 1) && decoder.ids[common] === ids[common]) common += 1;
    await decoder.rewind(common);
    const guesses: number[] = [];
    let news = ids.slice(decoder.ids.length);
    for (;;) {
      const [logits] = await decoder.read(news, signal);
      const id = likeliest(logits as Float32Array);
      if (id >= words) return guesses;
      guesses.push(id);
      if (guesses.length === most) return guesses;
      if (this.#ahead === undefined) {
        this.#ahead = decoder.fork();
        decoder = this.#ahead;
      }
      news = [id];
    }
  }

  dispose(): void {
    this.#decoder?.dispose();
    this.#ahead?.dispose();
    this.#decoder = undefined;
    this.#ahead = undefined;
  }

  /** Where all guesses that were read came true, what read them goes on; otherwise what has not read them. */
  #settle(ids: readonly number[]): Decoder {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined) {
      const right = ahead.ids.length < ids.length && ahead.ids.every((id, i) => id === ids[i]);
      (right ? this.#decoder : ahead)?.dispose();
      if (right) this.#decoder = ahead;
    }
    this.#decoder ??= this.#newDecoder();
    return this.#decoder;
  }
}
