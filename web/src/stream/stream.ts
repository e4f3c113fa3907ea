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
  readonly first: ReadonlyMap<string, TensorLike>;
  readonly maxLength: number;
  readonly cache: CacheType;
}

type State = ReadonlyMap<string, Tensor | TensorLike>;

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
  const setting = { session, pairs, first, maxLength, cache };
  return new Stream(setting, beginning(setting), 0);
}

/** The caller's own tensors stay the caller's. */
function beginning({ first }: Setting): State {
  return new Map([...first].map(([name, value]) => [name, ownState(value)]));
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
  #state: State;
  #runs: number;
  #tail: Promise<unknown> = Promise.resolve();
  #underWay = 0;
  #disposed = false;

  /** @internal */
  constructor(setting: Setting, state: State, runs: number) {
    this.session = setting.session;
    this.#setting = setting;
    this.#state = state;
    this.#runs = runs;
  }

  /** The inputs that this stream gives by itself. */
  get state(): readonly string[] {
    return [...this.#state.keys()];
  }

  /** The positions in the cache; of state that has no time axis, the runs since the beginning. */
  get length(): number {
    const grows = this.#growing[0];
    return grows === undefined ? this.#runs : this.#sizeOf(grows);
  }

  /** Runs the model on its other inputs, and returns the outputs that are no state. */
  run(feeds: Feeds, options: StreamRunOptions = {}): Promise<Record<string, Tensor>> {
    const own = this.#underWay > 0 ? ownFeeds(feeds) : feeds;
    return this.#enqueue(() => this.#run(own, options));
  }

  /** Back to the beginning. */
  reset(): Promise<void> {
    return this.#enqueue(async () => this.#replace(beginning(this.#setting), 0));
  }

  /**
   * Another stream that goes on from here by itself. Values in the engine never change, so that both share what is there
   * now. Of a run that is under way it has nothing.
   */
  fork(): Stream {
    this.#check();
    const state = [...this.#state].map(([name, value]) => [name, ownState(value)] as const);
    return new Stream(this.#setting, new Map(state), this.#runs);
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
        this.#replace(beginning(this.#setting), 0);
        return;
      }
      const stiff = this.#setting.pairs.find(({ axis, once }) => axis === undefined && !once);
      if (stiff !== undefined) {
        throw new NeuromancerError(
          'invalid_argument',
          `The state "${stiff.input.name}" has no time axis, so there is no way back to ${length}; fork() before what may be taken back.`,
        );
      }
      await this.#replaceEach(this.#runs, async ({ input, axis, once }) => {
        const value = this.#state.get(input.name) as Tensor | TensorLike;
        return once ? ownState(value) : await this.session.keep(value, { axis: axis as number, length });
      });
    });
  }

  /** The state as bytes, for a file or a database: what `restore` takes. */
  save(): Promise<Uint8Array> {
    return this.#enqueue(async () => {
      const states: [string, TensorLike][] = [];
      for (const [name, value] of this.#state) states.push([name, await inJavaScript(value)]);
      return toBytes({ model: modelMark(this.session), runs: this.#runs, states });
    });
  }

  /** Goes on from a state that was saved, by this session or by another one of the same model. */
  restore(bytes: Uint8Array): Promise<void> {
    return this.#enqueue(async () => {
      const { model, runs, states } = fromBytes(bytes);
      const saved = new Map(states);
      const same = saved.size === this.#state.size && this.state.every((name) => saved.has(name));
      if (model !== modelMark(this.session) || !same) {
        throw new NeuromancerError('invalid_data', 'The bytes are the saved state of another model or another stream.');
      }
      for (const { input } of this.#setting.pairs) checkShape(input.name, input, saved.get(input.name) as TensorLike);
      await this.#replaceEach(runs, async ({ input }) => saved.get(input.name) as TensorLike);
    });
  }

  /** Gives the state back to the engine. Twice is allowed. */
  dispose(): void {
    this.#disposed = true;
    disposeState(this.#state);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #growing(): readonly Pair[] {
    return this.#setting.pairs.filter(({ axis, once }) => axis !== undefined && !once);
  }

  #sizeOf({ input, axis }: Pair): number {
    return this.#state.get(input.name)?.shape[axis as number] ?? 0;
  }

  async #run(feeds: Feeds, options: StreamRunOptions): Promise<Record<string, Tensor>> {
    this.#checkFeeds(feeds);
    const { pairs, cache } = this.#setting;
    const wanted = pairs.filter(({ once }) => !once || this.#runs === 0);
    const kept = new Set(pairs.map(({ output }) => output));
    const others = this.session.outputs.map(({ name }) => name).filter((name) => !kept.has(name));
    const outputs: Record<string, Tensor> = await this.session.run(
      { ...feeds, ...Object.fromEntries(this.#state) },
      { ...options, fetch: fetchedOf(options.fetch, others), keep: wanted.map(({ output }) => output), cache },
    );
    const next = new Map<string, Tensor | TensorLike>(this.#state);
    for (const { input, output } of wanted) {
      const value = outputs[output];
      if (value === undefined) {
        disposeState(new Map(Object.entries(outputs)));
        throw new NeuromancerError('invalid_model', `The model left its state "${output}" out.`);
      }
      next.set(input.name, value);
      delete outputs[output];
    }
    this.#replace(next, this.#runs + 1);
    return outputs;
  }

  /** Puts another state into the engine, a part at a time, so that JavaScript never holds all of it. */
  async #replaceEach(runs: number, make: (pair: Pair) => Promise<Tensor | TensorLike>): Promise<void> {
    const next = new Map<string, Tensor>();
    try {
      for (const pair of this.#setting.pairs) {
        const value = await make(pair);
        next.set(pair.input.name, isInEngine(value) ? value : await this.session.keep(value));
      }
    } catch (error) {
      disposeState(next);
      throw error;
    }
    this.#replace(next, runs);
  }

  #replace(next: State, runs: number): void {
    if (this.#disposed) {
      disposeState(next);
      return;
    }
    const stays = new Set(next.values());
    disposeState(new Map([...this.#state].filter(([, value]) => !stays.has(value))));
    this.#state = next;
    this.#runs = runs;
  }

  #checkFeeds(feeds: Feeds): void {
    const own = Object.keys(feeds).find((name) => this.#state.has(name));
    if (own !== undefined) {
      throw new NeuromancerError(
        'invalid_argument',
        `Input "${own}" is state that the stream gives by itself; leave it out, or start with the option "initial".`,
        { input: own },
      );
    }
    if (this.#growing.length === 0) return;
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

/** A second hold on the value. */
function ownState(value: Tensor | TensorLike): Tensor | TensorLike {
  return isInEngine(value) ? value.copy() : value;
}

async function inJavaScript(value: Tensor | TensorLike): Promise<TensorLike> {
  if (!isInEngine(value)) return value;
  // Through a tensor of its own, so that the state has no second copy for as long as it is there.
  const once = value.copy();
  try {
    return { type: value.type, data: (await once.getData()) as TensorLike['data'], shape: value.shape };
  } finally {
    once.dispose();
  }
}

function disposeState(state: State): void {
  for (const value of state.values()) if (isInEngine(value)) value.dispose();
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
