import { type CacheType, cacheTypeRule } from '../api/cache-type.js';
import { asNeuromancerError, NeuromancerError } from '../api/errors.js';
import { checkOptions, matching } from '../api/names.js';
import type { Session } from '../api/session.js';
import type { RunOptions } from '../engine/backend.js';
import { describe, type Tensor, type TensorLike } from '../values/tensor.js';
import type { ValueLike } from '../values/values.js';
import { firstState } from './first-state.js';
import { foundPairs, namedPairs, type Pair } from './pairs.js';
import { fromBytes, toBytes } from './saved.js';
import { formOf, leftOut, State } from './state.js';

export interface StreamOptions {
  /**
   * Which input takes which output of the run before, `*` standing for the same part in both names:
   * `{ 'past_key_values.*': 'present.*' }`. By default found by name.
   */
  state?: Readonly<Record<string, string>>;
  /** Sizes, by their names, that the model leaves open in its state. Others are 1, and 0 along the time axis. */
  dimensions?: Readonly<Record<string, number>>;
  /** The state before the first run, by input; by default zeros. */
  initial?: Readonly<Record<string, TensorLike>>;
  /** The axis along which caches grow; by default found by the names of dimensions. `false`: they do not. */
  timeAxis?: number | false;
  /** The most positions that the model has, refused beyond before the run. */
  maxLength?: number;
  /** How caches are stored that grow in place; by default "float32". Streams of one session had best agree. */
  cache?: CacheType;
}

export type StreamRunOptions = Omit<RunOptions, 'keep' | 'cache'>;
/** The inputs that are no state. */
export type Feeds = Readonly<Record<string, ValueLike>>;

const optionRules = {
  state: ['an object of names', isObject],
  dimensions: ['an object of numbers', isObject],
  initial: ['an object of tensors', isObject],
  timeAxis: ['a whole number or false', (value: unknown) => value === false || Number.isInteger(value)],
  maxLength: ['a number', (value: unknown) => typeof value === 'number'],
  cache: cacheTypeRule,
} as const;

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** What all forks of a stream have in common. */
interface Setting {
  readonly session: Session;
  readonly pairs: readonly Pair[];
  readonly once: readonly Pair[];
  /** The part that tells the length. */
  readonly grows: Pair | undefined;
  readonly first: Parts;
  /** What is carried before the first run: nothing yet. */
  readonly nothing: State;
  /** The outputs that are no state. */
  readonly others: readonly string[];
  readonly maxLength: number;
  readonly cache: CacheType;
}

/** Tensors by the inputs that take them. */
type Parts = ReadonlyMap<string, TensorLike>;

/** Where a stream is. */
interface Place {
  /** What the next run is given as tensors: before the first one, or after a cut, all; else what was computed once. */
  readonly parts: Parts;
  /** What goes from run to run. */
  readonly state: State;
  readonly runs: number;
}

/** The state of a session's model, carried from run to run inside the engine. */
export function stream(session: Session, options: StreamOptions = {}): Stream {
  checkOptions('stream', options, optionRules);
  const {
    state,
    dimensions = {},
    initial = {},
    timeAxis,
    maxLength = Number.POSITIVE_INFINITY,
    cache = 'float32',
  } = options;
  const pairs = state === undefined ? foundPairs(session, timeAxis) : namedPairs(session, state, timeAxis);
  const given = new Map(Object.entries(initial));
  for (const name of given.keys()) {
    if (pairs.some(({ input }) => input.name === name)) continue;
    throw new NeuromancerError(
      'invalid_argument',
      `"initial" has "${name}", which is no state of this stream; its state is ${stateNames(pairs)}.`,
    );
  }
  const first = new Map(
    pairs.map((pair) => [pair.input.name, given.get(pair.input.name) ?? firstState(pair, dimensions)] as const),
  );
  const once = pairs.filter((pair) => pair.once);
  const grows = pairs.find((pair) => pair.axis !== undefined && !pair.once);
  const states = new Set(pairs.map(({ output }) => output));
  const others = session.outputs.map(({ name }) => name).filter((name) => !states.has(name));
  const nothing = new State(formOf(session, pairs));
  const setting: Setting = { session, pairs, once, grows, first, nothing, others, maxLength, cache };
  return new Stream(setting, beginning(setting));
}

/** The caller's own tensors stay the caller's. */
function beginning({ first, nothing }: Setting): Place {
  return shared({ parts: first, state: nothing, runs: 0 });
}

function stateNames(pairs: readonly Pair[]): string {
  return pairs.map(({ input }) => `"${input.name}"`).join(', ');
}

/**
 * One conversation with a model that keeps state: a language model's cache, an LSTM's state. Runs go one after the
 * other. A run that fails, or is cancelled, leaves the state as it was.
 */
export class Stream {
  readonly session: Session;
  readonly #setting: Setting;
  #place: Place;
  #tail: Promise<unknown> = Promise.resolve();
  #underWay = 0;
  #disposed = false;

  /** @internal */
  constructor(setting: Setting, place: Place) {
    this.session = setting.session;
    this.#setting = setting;
    this.#place = place;
  }

  /** The inputs that this stream gives by itself. */
  get state(): readonly string[] {
    return [...this.#setting.first.keys()];
  }

  /** The positions in the cache; of state that has no time axis, the runs since the beginning. */
  get length(): number {
    const { grows } = this.#setting;
    const { parts, state, runs } = this.#place;
    if (grows === undefined) return runs;
    return state.reference === undefined ? sizeOf(parts, grows) : state.length;
  }

  /** Runs the model on its other inputs, and returns the outputs that are no state. */
  run(feeds: Feeds, options: StreamRunOptions = {}): Promise<Record<string, Tensor>> {
    const own = this.#underWay > 0 ? ownFeeds(feeds) : feeds;
    return this.#enqueue(() => this.#run(own, options));
  }

  /** Back to the beginning. */
  reset(): Promise<void> {
    return this.#enqueue(async () => this.#replace(beginning(this.#setting)));
  }

  /**
   * Another stream that goes on from here by itself. Values in the engine never change, so that both share what is there
   * now. Of a run that is under way it has nothing.
   */
  fork(): Stream {
    this.#check();
    return new Stream(this.#setting, shared(this.#place));
  }

  /** Forgets all positions from `length` on. */
  truncate(length: number): Promise<void> {
    return this.#enqueue(async () => {
      const before = this.length;
      if (!Number.isInteger(length) || length < 0 || length > before) {
        throw new NeuromancerError('invalid_argument', `A stream of length ${before} has no length ${length}.`);
      }
      if (length === before) return;
      if (length === 0) {
        this.#replace(beginning(this.#setting));
        return;
      }
      const stiff = this.#setting.pairs.find(({ axis, once }) => axis === undefined && !once);
      if (stiff !== undefined) {
        throw new NeuromancerError(
          'invalid_argument',
          `The state "${stiff.input.name}" has no time axis, so there is no way back to ${length}; fork() before what may be taken back.`,
        );
      }
      this.#replaceParts(await this.#parts(length), this.#place.runs);
    });
  }

  /** The state as bytes, for a file or a database: what `restore` takes. */
  save(): Promise<Uint8Array> {
    return this.#enqueue(async () => {
      const { runs } = this.#place;
      const parts = await this.#parts();
      try {
        const states: [string, TensorLike][] = [];
        for (const [name, value] of parts) states.push([name, await inJavaScript(value)]);
        return toBytes({ model: modelMark(this.session), runs, states });
      } finally {
        disposeParts(parts);
      }
    });
  }

  /** Goes on from a state that was saved, by this session or by another one of the same model. */
  restore(bytes: Uint8Array): Promise<void> {
    return this.#enqueue(async () => {
      const { model, runs, states } = fromBytes(bytes);
      const saved = new Map(states);
      const { first } = this.#setting;
      const same = saved.size === first.size && [...first.keys()].every((name) => saved.has(name));
      if (model !== modelMark(this.session) || !same) {
        throw new NeuromancerError('invalid_data', 'The bytes are the saved state of another model or another stream.');
      }
      for (const { input } of this.#setting.pairs) checkShape(input.name, input, saved.get(input.name) as TensorLike);
      const keep = ({ input }: Pair) => this.session.keep(saved.get(input.name) as TensorLike);
      this.#replaceParts(await this.#each(keep), runs);
    });
  }

  /** Gives the state back to the engine. Twice is allowed. */
  dispose(): void {
    this.#disposed = true;
    dispose(this.#place);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #run(feeds: Feeds, options: StreamRunOptions): Promise<Record<string, Tensor>> {
    this.#checkFeeds(feeds);
    const { once, others, cache } = this.#setting;
    const { parts, state, runs } = this.#place;
    const ran = await this.session.runFrom(
      { ...feeds, ...Object.fromEntries(parts) },
      {
        ...options,
        fetch: fetchedOf(options.fetch, others),
        keep: runs === 0 ? once.map(({ output }) => output) : [],
        cache,
      },
      state,
    );
    const outputs = ran.outputs as Record<string, Tensor>;
    const next = new Map<string, TensorLike>();
    for (const { input, output } of once) {
      const value = runs === 0 ? outputs[output] : parts.get(input.name);
      if (value === undefined) {
        disposeParts(next);
        ran.state?.dispose();
        throw leftOut(output);
      }
      next.set(input.name, value);
      delete outputs[output];
    }
    this.#replace({ parts: next, state: ran.state as State, runs: runs + 1 });
    return outputs;
  }

  /** All tensors of the state, held once more; with a length, their first positions. */
  async #parts(length?: number): Promise<Parts> {
    const { parts, state } = this.#place;
    const carried = state.reference === undefined ? [] : await this.session.partsOf(state, length);
    return this.#each(async ({ input, axis, once }) => {
      const part = parts.get(input.name);
      if (part === undefined) return carried.shift() as Tensor;
      return once || length === undefined
        ? sharedPart(part)
        : this.session.keep(part, { axis: axis as number, length });
    });
  }

  /** One at a time, so that JavaScript never holds all that goes into the engine. */
  async #each(make: (pair: Pair) => Promise<TensorLike>): Promise<Parts> {
    const parts = new Map<string, TensorLike>();
    try {
      for (const pair of this.#setting.pairs) parts.set(pair.input.name, await make(pair));
      return parts;
    } catch (error) {
      disposeParts(parts);
      throw error;
    }
  }

  #replaceParts(parts: Parts, runs: number): void {
    this.#replace({ parts, state: this.#setting.nothing, runs });
  }

  #replace(next: Place): void {
    if (this.#disposed) {
      dispose(next);
      return;
    }
    const stays = new Set(next.parts.values());
    const parts = new Map([...this.#place.parts].filter(([, part]) => !stays.has(part)));
    dispose({ ...this.#place, parts });
    this.#place = next;
  }

  #checkFeeds(feeds: Feeds): void {
    const own = Object.keys(feeds).find((name) => this.#setting.first.has(name));
    if (own !== undefined) {
      throw new NeuromancerError(
        'invalid_argument',
        `Input "${own}" is state that the stream gives by itself; leave it out, or start with the option "initial".`,
        { input: own },
      );
    }
    if (this.#setting.grows === undefined) return;
    const { length } = this;
    const more = positions(feeds);
    if (more === undefined) return;
    if (length + more > this.#setting.maxLength) {
      throw new NeuromancerError(
        'limit_exceeded',
        `The stream has ${length} positions and cannot take ${more} more: its most are ${this.#setting.maxLength}; truncate() or reset() it.`,
      );
    }
    const { attention_mask: mask } = feeds as Readonly<Record<string, TensorLike | undefined>>;
    const masked = shapeOf(mask)?.at(-1);
    if (masked === undefined || masked === length + more || shapeOf(mask)?.length !== 2) return;
    throw new NeuromancerError(
      'shape_mismatch',
      `"attention_mask" is for ${masked} positions, but the stream has ${length} and this run adds ${more}: make it ${length + more} long.`,
      { input: 'attention_mask', expected: String(length + more), actual: String(masked) },
    );
  }

  #check(): void {
    if (this.#disposed) throw new NeuromancerError('session_closed', 'This stream was disposed; make another one.');
  }

  /** At once when nothing is under way, so that inputs are taken at the moment of the call. */
  #enqueue<T>(call: () => Promise<T>): Promise<T> {
    const checked = async () => {
      this.#check();
      try {
        return await call();
      } catch (error) {
        throw asNeuromancerError(error, 'internal', 'The stream failed');
      }
    };
    const result = this.#underWay === 0 ? checked() : this.#tail.then(checked);
    this.#underWay += 1;
    const end = () => {
      this.#underWay -= 1;
    };
    this.#tail = result.then(end, end);
    return result;
  }
}

/** @internal */
export function isInEngine(value: Tensor | TensorLike): value is Tensor {
  return 'location' in value && value.location === 'engine';
}

/** A second hold on the same values. */
function shared({ parts, state, runs }: Place): Place {
  return { parts: new Map([...parts].map(([name, part]) => [name, sharedPart(part)])), state: state.share(), runs };
}

function sharedPart(part: TensorLike): TensorLike {
  return isInEngine(part) ? part.copy() : part;
}

function dispose({ parts, state }: Place): void {
  disposeParts(parts);
  state.dispose();
}

function disposeParts(parts: Parts): void {
  for (const part of parts.values()) if (isInEngine(part)) part.dispose();
}

async function inJavaScript(value: TensorLike): Promise<TensorLike> {
  if (!isInEngine(value)) return value;
  // Through a tensor of its own, so that the other has no second copy for as long as it is there.
  const once = value.copy();
  try {
    return { type: value.type, data: (await once.getData()) as TensorLike['data'], shape: value.shape };
  } finally {
    once.dispose();
  }
}

function sizeOf(parts: Parts, { input, axis }: Pair): number {
  return parts.get(input.name)?.shape[axis as number] ?? 0;
}

/** How many positions a run adds. */
function positions({ input_ids, inputs_embeds }: Feeds): number | undefined {
  return shapeOf(input_ids ?? inputs_embeds)?.[1];
}

function shapeOf(value: ValueLike): readonly number[] | undefined {
  const { shape, dims } = (value ?? {}) as { shape?: readonly number[]; dims?: readonly number[] };
  return shape ?? dims;
}

/** The outputs that a caller asks for, of those that are no state. */
function fetchedOf(fetch: readonly string[] | undefined, others: readonly string[]): readonly string[] {
  return fetch?.flatMap((name) => matching(name, others) ?? [name]) ?? others;
}

/** Inputs of a run that has to wait, as they are now. */
function ownFeeds(feeds: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, value]) => {
      if (typeof value !== 'object' || value === null || !('data' in value)) return [name, value];
      const tensor = value as TensorLike;
      if (isInEngine(tensor)) return [name, tensor.copy()];
      const { data } = tensor;
      const copy = (data as unknown as { slice(): typeof data }).slice();
      return [name, { type: tensor.type, data: copy, shape: shapeOf(value) as readonly number[] }];
    }),
  );
}

/** Tells the state of one model from that of another with the same names and shapes. */
function modelMark({ model: { name, producer, nodes, weightBytes } }: Session): string {
  return JSON.stringify([name, producer, nodes, weightBytes]);
}

function checkShape(name: string, input: Pair['input'], { type, shape }: TensorLike): void {
  const declared = input.shape;
  const fits =
    type === input.type &&
    (declared === undefined ||
      (declared.length === shape.length && declared.every((dim, i) => typeof dim !== 'number' || dim === shape[i])));
  if (fits) return;
  throw new NeuromancerError(
    'invalid_data',
    `The saved state "${name}" is a ${describe(type, shape)}, where the model takes ${describe(input.type, declared)}.`,
  );
}
