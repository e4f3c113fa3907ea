import { NeuromancerError } from '../api/errors.js';
import type { Session } from '../api/session.js';
import { nextTask } from '../host/host.js';
import type { WebAbortSignal } from '../host/host-types.js';
import type { Feeds, Stream } from '../stream/stream.js';
import type { Tensor, TensorLike } from '../values/tensor.js';
import type { Form, Role } from './form.js';
import { numbers } from './numbers.js';

/** What all decoders of one model have in common. */
export interface DecoderSetting {
  readonly session: Session;
  readonly form: Form;
  /** What the caller, or an encoder, gives in every run. */
  readonly given: Feeds;
  /** Tokens that go through the model at once. */
  readonly chunk: number;
}

/**
 * Tokens that without their logits save more than a run costs. By the operations of SmolLM-135M, and a run of one token as
 * long as two of a prompt's, it is eight; twice that is on the safe side, and not measured.
 */
const worthARun = 16;

/** A decoder and the tokens that it has read. */
export class Decoder {
  readonly #setting: DecoderSetting;
  /** Absent for a model without a cache: every run then reads all tokens. */
  #stream: Stream | undefined;
  #ids: readonly number[];

  constructor(setting: DecoderSetting, stream: Stream | undefined, ids: readonly number[] = []) {
    this.#setting = setting;
    this.#stream = stream;
    this.#ids = ids;
  }

  /** The tokens read so far. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /**
   * Reads more tokens, and returns the logits after each of the last `rows`. A read that fails, or is cancelled, leaves
   * the decoder as it was, and gives back what it took.
   */
  async read(ids: readonly number[], signal: WebAbortSignal | undefined, rows = 1): Promise<Float32Array[]> {
    const ends = this.#ends(ids.length, rows);
    if (this.#stream === undefined || ends.length === 1) return this.#readPart(ids, signal, rows);
    const before = { stream: this.#stream.fork(), ids: this.#ids };
    try {
      const logits: Float32Array[] = [];
      let at = 0;
      for (const end of ends) {
        // A page that runs the model itself gets its turn.
        if (at > 0) await nextTask();
        const wanted = Math.min(end - at, Math.max(0, rows - (ids.length - end)));
        logits.push(...(await this.#readPart(ids.slice(at, end), signal, wanted)));
        at = end;
      }
      before.stream.dispose();
      return logits;
    } catch (error) {
      this.#stream.dispose();
      this.#stream = before.stream;
      this.#ids = before.ids;
      throw error;
    }
  }

  /**
   * Where the pieces end in which `length` tokens are read. The product with all words of the vocabulary is left out of a
   * run whose logits nobody reads, and is as much as a quarter of a small model's work: so many tokens go before the last
   * rows that another run, which is as long as that for one token, pays.
   */
  #ends(length: number, rows: number): number[] {
    const { chunk, form } = this.#setting;
    const ends: number[] = [];
    for (let end = chunk; end < length; end += chunk) ends.push(end);
    const before = length - rows - (ends.at(-1) ?? 0);
    if (form.everyRow && before >= worthARun) ends.push(length - rows);
    return [...ends, length];
  }

  /** Another decoder that goes on from here. */
  fork(): Decoder {
    return new Decoder(this.#setting, this.#stream?.fork(), this.#ids);
  }

  /** Goes back to the first `length` tokens, or to as few as the model's state allows, and returns how many are left. */
  async rewind(length: number): Promise<number> {
    if (length === this.#ids.length) return length;
    try {
      await this.#stream?.truncate(length);
      this.#ids = this.#ids.slice(0, length);
    } catch (error) {
      if ((error as NeuromancerError).code !== 'invalid_argument') throw error;
      await this.reset();
    }
    return this.#ids.length;
  }

  async reset(): Promise<void> {
    this.#ids = [];
    await this.#stream?.reset();
  }

  dispose(): void {
    this.#stream?.dispose();
  }

  async #readPart(ids: readonly number[], signal: WebAbortSignal | undefined, rows: number): Promise<Float32Array[]> {
    const { session, form, given } = this.#setting;
    const past = this.#stream === undefined ? 0 : this.#ids.length;
    const all = [...this.#ids, ...ids];
    const now = this.#stream === undefined ? all : ids;
    const feeds: Record<string, Feeds[string]> = { ...given };
    for (const [input, role] of form.roles) {
      if (Object.hasOwn(given, input.name)) continue;
      const value = this.#feed(input.type, role, now, past, Math.max(1, rows), input.shape?.length);
      feeds[input.name] = value;
    }
    const options = { fetch: rows > 0 ? [form.logits] : [], ...(signal === undefined ? {} : { signal }) };
    const run = this.#stream ?? session;
    const outputs: Record<string, Tensor> = await run.run(feeds, options);
    this.#ids = all;
    return rows > 0 ? lastRows(outputs[form.logits] as Tensor, rows) : [];
  }

  #feed(type: string, role: Role, ids: readonly number[], past: number, rows: number, rank = 0): TensorLike {
    const total = past + ids.length;
    const one = (value: number) => numbers(type, [value], Array<number>(rank).fill(1));
    const places = () => ids.map((_, i) => past + i);
    switch (role) {
      case 'ids':
        return numbers(type, ids, [1, ids.length]);
      case 'mask':
        return numbers(type, Array<number>(total).fill(1), [1, total]);
      case 'positions':
        return numbers(type, places(), [1, ids.length]);
      case 'cachePositions':
        return numbers(type, places(), [ids.length]);
      case 'branch':
        return one(past > 0 ? 1 : 0);
      case 'rows':
        return one(rows);
      case 'lastPosition':
        return one(total - 1);
      case 'pastLength':
        return one(past);
      case 'totalLength':
        return one(total);
      case 'encoded':
      case 'encodedMask':
        throw new NeuromancerError(
          'invalid_argument',
          'This decoder reads what an encoder made: give textModel both sessions, { encoder, decoder }.',
        );
    }
  }
}

/** The last rows of logits of [1,tokens,vocabulary], or of [1,vocabulary]. */
function lastRows(logits: Tensor, rows: number): Float32Array[] {
  const size = logits.shape.at(-1) ?? 0;
  const values = logits.toFloat32();
  const there = size === 0 ? 0 : values.length / size;
  if (there < rows) {
    throw new NeuromancerError(
      'invalid_model',
      `The model gave logits for ${there} tokens where ${rows} were wanted (${logits}); generate without "lookup".`,
    );
  }
  return Array.from({ length: rows }, (_, i) => {
    const at = (there - rows + i) * size;
    return values.subarray(at, at + size);
  });
}
