import { cacheTypeRule } from '../api/cache-type.js';
import { asNeuromancerError, NeuromancerError, throwIfAborted } from '../api/errors.js';
import { checkOptions, plainly } from '../api/names.js';
import type { Session } from '../api/session.js';
import { pairsByName } from '../stream/pairs.js';
import { type Feeds, isInEngine, type StreamOptions, stream } from '../stream/stream.js';
import type { TensorLike } from '../values/tensor.js';
import { type BeamSearch, beamSearch } from './beams.js';
import { draw, likeliest } from './choose.js';
import { Decoder, type DecoderSetting } from './decoder.js';
import { Draft } from './draft.js';
import { encoded } from './encoder.js';
import { type Form, formOf } from './form.js';
import { lookUp } from './look-up.js';
import { checkGenerateOptions, draws, type GenerateOptions, processorsOf } from './options.js';
import { seeded } from './random.js';
import { StopText } from './stop-text.js';
import { TextPieces } from './text-pieces.js';
import { type ChatTemplate, encode, type Tokenizer, type TokenList, tokens } from './tokenizer.js';

export interface TextModelOptions {
  /** For prompts that are text, and for text out; `@huggingface/tokenizers` makes one. */
  tokenizer?: Tokenizer;
  /** For `chat`; `new Template(text)` of `@huggingface/jinja` is one. */
  template?: ChatTemplate;
  /** The tokens that end a text. */
  eos?: number | readonly number[];
  /** The tokens that a decoder behind an encoder begins with. */
  start?: readonly number[];
  /** Values of inputs that are none a text model is known to have. */
  feeds?: Feeds;
  /** As for `stream`; by default found by name. `false`: the model has no cache. */
  state?: StreamOptions['state'] | false;
  /** As for `stream`. */
  dimensions?: Readonly<Record<string, number>>;
  /** The most positions that the model has. */
  maxLength?: number;
  /** As for `stream`: "float16" or "int8" for a cache at half or a quarter of its size. */
  cache?: StreamOptions['cache'];
  /**
   * A smaller model with the same tokens, which guesses what this one will write: `textModel(small)`. This one checks
   * several guesses in one run, so that the tokens are its own, as with `lookup`, and come faster where guesses are right.
   */
  draft?: TextModel;
  /** How many of a prompt's tokens go through the model at once; by default 64. Between them a page gets its turn. */
  chunk?: number;
}

export interface EncoderDecoder {
  readonly encoder: Session;
  readonly decoder: Session;
}

/** Text, tokens, or for a model with an encoder also the encoder's inputs by name. */
export type Prompt = string | TokenList | Feeds;

export interface Message {
  readonly role: string;
  readonly content: unknown;
}

/** A token as it comes, and the text that it adds. The last piece may have text only: what was held back till then. */
export interface Piece {
  readonly id: number | undefined;
  readonly text: string;
}

/** Why a text ended: at a stop token, at a stop text, or at the most tokens. */
export type Ending = 'token' | 'text' | 'length';

export interface Generated {
  /** The tokens, without the one that ended them. */
  readonly ids: readonly number[];
  /** Empty without a tokenizer. */
  readonly text: string;
  readonly ending: Ending;
}

const modelRules = {
  tokenizer: ['a tokenizer', isObject],
  template: ['a template with render()', isObject],
  eos: ['a token or an array of tokens', (value: unknown) => Number.isInteger(value) || Array.isArray(value)],
  start: ['an array of tokens', Array.isArray],
  feeds: ['an object of values', isObject],
  state: ['an object of names or false', (value: unknown) => value === false || isObject(value)],
  dimensions: ['an object of numbers', isObject],
  maxLength: ['a number', (value: unknown) => typeof value === 'number'],
  cache: cacheTypeRule,
  draft: ['a text model of a decoder', (value: unknown) => value instanceof TextModel],
  chunk: ['a whole number above 0', (value: unknown) => Number.isInteger(value) && Number(value) > 0],
} as const;

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** A model that writes: a decoder, or an encoder and a decoder. What it wants is found from its inputs. */
export function textModel(sessions: Session | EncoderDecoder, options: TextModelOptions = {}): TextModel {
  checkOptions('textModel', options, modelRules);
  return new TextModel(sessions, options);
}

/** One writer: it remembers what it has read, so that a conversation that grows is not read again. */
export class TextModel {
  readonly #encoder: Session | undefined;
  readonly #session: Session;
  readonly #options: TextModelOptions;
  readonly #form: Form;
  readonly #stateful: boolean;
  readonly #draft: Draft | undefined;
  #decoder: Decoder | undefined;
  /** What the decoder is given of the encoder's output. */
  #encoded: Readonly<Record<string, TensorLike>> = {};
  #busy = false;

  /** @internal */
  constructor(sessions: Session | EncoderDecoder, options: TextModelOptions) {
    const both = 'decoder' in sessions;
    this.#session = both ? sessions.decoder : sessions;
    this.#encoder = both ? sessions.encoder : undefined;
    this.#options = options;
    const { state, feeds = {} } = options;
    this.#draft = this.#draftOf(options.draft);
    this.#stateful = state !== false && (state !== undefined || pairsByName(this.#session).length > 0);
    const probe = this.#newStream();
    this.#form = formOf(this.#session, probe?.state ?? [], feeds);
    probe?.dispose();
  }

  /** Tokens in the cache, which a prompt that begins with the same ones need not pay for. */
  get cached(): number {
    return this.#decoder?.ids.length ?? 0;
  }

  /** The whole text. */
  async generate(prompt: Prompt, options: GenerateOptions = {}): Promise<Generated> {
    checkGenerateOptions(options);
    if ((options.beams ?? 1) > 1) return this.#alone(() => this.#beams(prompt, options));
    const ids: number[] = [];
    let text = '';
    const pieces = this.stream(prompt, options);
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) return { ids, text, ending: value };
      if (value.id !== undefined) ids.push(value.id);
      text += value.text;
    }
  }

  /** The text as it comes: `for await (const { text } of model.stream(prompt)) …`. */
  async *stream(prompt: Prompt, options: GenerateOptions = {}): AsyncGenerator<Piece, Ending, void> {
    checkGenerateOptions(options);
    if ((options.beams ?? 1) > 1) {
      throw new NeuromancerError('invalid_argument', 'Beam search has no text before its end; call generate().');
    }
    this.#begin();
    try {
      return yield* this.#pieces(prompt, options);
    } catch (error) {
      throw asNeuromancerError(error, 'internal', 'Generating failed');
    } finally {
      this.#busy = false;
    }
  }

  /** The answer to a conversation, whose text the template makes. */
  chat(messages: readonly Message[], options: GenerateOptions = {}): Promise<Generated> {
    return this.generate(this.chatPrompt(messages), options);
  }

  /** The tokens of a conversation, up to where the answer begins. `context` is for the template, too. */
  chatPrompt(messages: readonly Message[], context: Readonly<Record<string, unknown>> = {}): number[] {
    const { template, tokenizer } = this.#options;
    if (template === undefined) {
      throw new NeuromancerError(
        'invalid_argument',
        'A conversation needs the model\'s chat template: give textModel the option "template", new Template(text) of @huggingface/jinja.',
      );
    }
    // The template writes the special tokens itself.
    return encode(tokenizer, template.render({ messages, add_generation_prompt: true, ...context }), false);
  }

  /** Forgets what was read. */
  reset(): Promise<void> {
    return this.#alone(async () => this.#forget());
  }

  /** Gives the cache back; the sessions stay the caller's. */
  dispose(): void {
    this.#forget();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #begin(): void {
    if (this.#busy) {
      throw new NeuromancerError(
        'invalid_argument',
        'This model is writing a text; wait for its end, or make another textModel of the same session.',
      );
    }
    this.#busy = true;
  }

  async #alone<T>(call: () => Promise<T>): Promise<T> {
    this.#begin();
    try {
      return await call();
    } catch (error) {
      throw asNeuromancerError(error, 'internal', 'Generating failed');
    } finally {
      this.#busy = false;
    }
  }

  /** The decoder of a draft belongs to the model that it guesses for; the sessions stay the draft's. */
  #draftOf(draft: TextModel | undefined): Draft | undefined {
    if (draft === undefined) return undefined;
    if (this.#encoder !== undefined || draft.#encoder !== undefined) {
      throw new NeuromancerError('invalid_argument', 'A draft guesses for a decoder alone, without an encoder.');
    }
    return new Draft(() => draft.#newDecoder(draft.#options.feeds ?? {}));
  }

  #forget(): void {
    this.#draft?.dispose();
    this.#decoder?.dispose();
    this.#decoder = undefined;
    for (const value of Object.values(this.#encoded)) if (isInEngine(value)) value.dispose();
    this.#encoded = {};
  }

  async *#pieces(prompt: Prompt, options: GenerateOptions): AsyncGenerator<Piece, Ending, void> {
    const { maxTokens = 256, minTokens = 0, lookup = 0, draft = 4, signal } = options;
    const { tokenizer } = this.#options;
    const stops = [options.stop ?? []].flat();
    if (stops.length > 0) encode(tokenizer, stops[0] as string);
    const all = await this.#prepare(prompt, options);
    const promptLength = all.length;
    const context = { ids: all, promptLength };
    const stopTokens = this.#stopTokens(options);
    const processors = processorsOf(options, tokenizer);
    const random = draws(options) ? seeded(options.seed ?? Math.random() * 2 ** 32) : undefined;
    const pieces = tokenizer && new TextPieces(tokenizer, all);
    const stopText = new StopText(stops);
    const guesses = Math.max(lookup, this.#draft === undefined ? 0 : draft);
    let words = 0; // of the vocabulary, once there have been logits
    const guessed = async (most: number): Promise<readonly number[]> => {
      if (!this.#form.severalRows || most <= 0) return [];
      const said = lookUp(all, Math.min(lookup, most));
      if (said.length > 0 || this.#draft === undefined || words === 0) return said;
      return this.#draft.guess(all, Math.min(draft, most), words, signal);
    };
    const rest = (): Piece => ({ id: undefined, text: stopText.add(pieces?.end() ?? '') + stopText.end() });

    while (all.length - promptLength < maxTokens) {
      throwIfAborted(signal);
      const decoder = this.#decoder as Decoder;
      const news = all.slice(decoder.ids.length);
      const left = maxTokens - (all.length - promptLength) - 1;
      // Tokens that wait because guesses were wrong are read at last without more of them.
      const waiting = news.length > Math.max(8, guesses) && news.length < all.length;
      const guess = waiting ? [] : await guessed(left);
      const before = guess.length > 0 ? decoder.fork() : undefined;
      let right = 0;
      try {
        const rows = await decoder.read([...news, ...guess], signal, guess.length + 1);
        for (const logits of rows) {
          words = logits.length;
          if (all.length - promptLength < minTokens) for (const id of stopTokens) logits[id] = Number.NEGATIVE_INFINITY;
          for (const process of processors) await process(logits, context);
          const id = random === undefined ? likeliest(logits) : draw(logits, random);
          if (stopTokens.has(id)) {
            const last = rest();
            if (last.text !== '') yield last;
            return 'token';
          }
          all.push(id);
          yield { id, text: stopText.add(pieces?.add(id) ?? '') };
          if (stopText.found) return 'text';
          throwIfAborted(signal);
          if (id !== guess[right]) break;
          right += 1;
        }
      } finally {
        // What was guessed wrong is in the cache: the one before goes on.
        if (before !== undefined && right < guess.length) {
          decoder.dispose();
          this.#decoder = before;
        } else before?.dispose();
      }
    }
    const last = rest();
    if (last.text !== '') yield last;
    return stopText.found ? 'text' : 'length';
  }

  async #beams(prompt: Prompt, options: GenerateOptions): Promise<Generated> {
    const { tokenizer } = this.#options;
    if (draws(options) || [options.stop ?? []].flat().length > 0) {
      throw new NeuromancerError(
        'invalid_argument',
        'Beam search takes the likeliest text: it goes neither with drawing (temperature, topK, …) nor with "stop".',
      );
    }
    const all = await this.#prepare(prompt, options);
    const search: BeamSearch = {
      beams: options.beams ?? 1,
      maxTokens: options.maxTokens ?? 256,
      minTokens: options.minTokens ?? 0,
      lengthPenalty: options.lengthPenalty ?? 1,
      stopTokens: this.#stopTokens(options),
      processors: processorsOf(options, tokenizer),
      signal: options.signal,
    };
    const { ids, stopped } = await beamSearch(this.#decoder as Decoder, all, search);
    const pieces = tokenizer && new TextPieces(tokenizer, all);
    const text = pieces === undefined ? '' : ids.map((id) => pieces.add(id)).join('') + pieces.end();
    return { ids, text, ending: stopped ? 'token' : 'length' };
  }

  /** Sees to a decoder that has read no more than the prompt's beginning, and returns the prompt. */
  async #prepare(prompt: Prompt, { fresh, signal }: GenerateOptions): Promise<number[]> {
    const { feeds = {}, start } = this.#options;
    if (fresh) this.#forget();
    if (this.#encoder !== undefined) {
      if (start === undefined || start.length === 0) {
        throw new NeuromancerError(
          'invalid_argument',
          'A decoder behind an encoder needs the token that it begins with: give textModel the option "start" (decoder_start_token_id).',
        );
      }
      this.#forget();
      const input = isNamed(prompt) ? prompt : this.#tokensOf(prompt);
      this.#encoded = await encoded(this.#encoder, this.#session, input, this.#form, signal);
      this.#decoder = this.#newDecoder({ ...feeds, ...this.#encoded });
      return [...start];
    }
    if (isNamed(prompt)) {
      throw new NeuromancerError('invalid_argument', `A prompt is text or tokens, not ${plainly(prompt)}.`);
    }
    const ids = this.#tokensOf(prompt);
    if (ids.length === 0) throw new NeuromancerError('invalid_argument', 'The prompt has no tokens.');
    this.#decoder ??= this.#newDecoder(feeds);
    const read = this.#decoder.ids;
    // The last token is read in any case: its logits are what comes next.
    let common = 0;
    while (common < Math.min(read.length, ids.length - 1) && read[common] === ids[common]) common += 1;
    await this.#decoder.rewind(common);
    return ids;
  }

  #tokensOf(prompt: string | TokenList): number[] {
    return typeof prompt === 'string' ? encode(this.#options.tokenizer, prompt) : tokens(prompt);
  }

  #stopTokens({ stopTokens = [] }: GenerateOptions): ReadonlySet<number> {
    return new Set([...[this.#options.eos ?? []].flat(), ...stopTokens]);
  }

  #newStream() {
    const { state, dimensions, maxLength, cache } = this.#options;
    if (!this.#stateful) return undefined;
    return stream(this.#session, {
      ...(state === undefined || state === false ? {} : { state }),
      ...(dimensions === undefined ? {} : { dimensions }),
      ...(maxLength === undefined ? {} : { maxLength }),
      ...(cache === undefined ? {} : { cache }),
    });
  }

  #newDecoder(given: Feeds): Decoder {
    const setting: DecoderSetting = {
      session: this.#session,
      form: this.#form,
      given,
      chunk: this.#options.chunk ?? 64,
    };
    return new Decoder(setting, this.#newStream());
  }
}

function isNamed(prompt: Prompt): prompt is Feeds {
  return typeof prompt === 'object' && !Array.isArray(prompt) && !ArrayBuffer.isView(prompt);
}
