import type { Source } from '../download/fetch.js';
import type { Backend, Feeds, KeptPart, LoadOptions, Outputs, Ran, RunOptions, Values } from '../engine/backend.js';
import type { Home } from '../engine/held.js';
import { LocalBackend } from '../engine/local.js';
import { hasWorkers } from '../host/host.js';
import type { CompiledModule } from '../host/host-types.js';
import { ownFiles } from '../host/own-files.js';
import type { State } from '../stream/state.js';
import { describe, type Tensor, type TensorLike, type TensorWithDims } from '../values/tensor.js';
import { checkedTensor, checkedValue, disposeAll, parseType, type ValueLike } from '../values/values.js';
import { zerosFor } from '../values/zeros.js';
import { customOf, withRemedy } from './custom.js';
import type { EngineInfo, MemoryUse, ModelDescription, Step, ValueInfo } from './description.js';
import { coded, isFatal, NeuromancerError, throwIfAborted } from './errors.js';
import { matching, plainly, suggestion } from './names.js';
import { checkBundleOptions, checkKeptPart, checkLoadOptions, checkRunOptions } from './options.js';

declare global {
  // For hosts and TypeScript libraries from before explicit resource management.
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
}

/** `release` lets calls that are under way end by themselves for this long. */
const releaseMilliseconds = 1000;

/**
 * A loaded model. Each session is an engine instance of its own, unless it is loaded with `shared`: sessions share no
 * memory, and releasing one gives all of its memory back. Calls on one session run one after the other, unless it has several workers.
 */
export class Session {
  /** Everything the engine knows of the model: name, producer, opsets, operators, sizes. */
  readonly model: ModelDescription;
  /** What the session runs on: version, artefact, threads. */
  readonly engine: EngineInfo;
  /** Absent once the session has ended, so that the instance and its memory can go although it is still referred to. */
  #backend: Backend | undefined;
  /** Why it has ended. */
  #end = '';
  readonly #byName: ReadonlyMap<string, ValueInfo>;
  #queue: Promise<unknown> = Promise.resolve();
  /** Calls that have not ended. */
  #underWay = 0;
  #released: Promise<void> | undefined;

  /** Loads an ONNX model from a URL, bytes, a Response or a Blob. */
  static load(source: Source, options: LoadOptions = {}): Promise<Session> {
    return coded('Loading the model failed', async () => {
      checkLoadOptions(options);
      throwIfAborted(options.signal);
      const { worker, workers = worker ? 1 : 0 } = options;
      const { inWorkers } = ownFiles();
      const load = hasWorkers && workers > 0 ? inWorkers : undefined;
      const custom = customOf(options.operators);
      try {
        const loaded = load?.(source, options, workers, custom) ?? LocalBackend.load(source, options, custom);
        return new Session(await loaded);
      } catch (error) {
        throw withRemedy(error, custom);
      }
    });
  }

  /**
   * The session inside a module that `neuromancer/bundle` has made: nothing is loaded or optimised, so it is there as
   * soon as the module is. In a host that allows no compiling (Cloudflare Workers), give the imported module.
   */
  static fromBundle(
    source: CompiledModule | Source,
    options: Pick<LoadOptions, 'operators' | 'signal'> = {},
  ): Promise<Session> {
    return coded('Opening the bundle failed', async () => {
      checkBundleOptions(options);
      throwIfAborted(options.signal);
      return new Session(await LocalBackend.open(source, options.signal, customOf(options.operators)));
    });
  }

  private constructor(backend: Backend) {
    this.#backend = backend;
    this.model = backend.description;
    this.engine = backend.engine;
    this.#byName = new Map(this.inputs.map((input) => [input.name, input]));
  }

  get inputs(): readonly ValueInfo[] {
    return this.model.inputs;
  }

  get outputs(): readonly ValueInfo[] {
    return this.model.outputs;
  }

  /**
   * Runs the model on a value per input and returns a value per output. The inputs are taken at the moment of the call.
   * Most models know tensors only, so that is what the outputs are taken to be; for others say what they are:
   * `run<{ probabilities: ValueMap[] }>(…)`.
   */
  run<Results extends Values = Outputs>(
    feeds: Readonly<Record<string, ValueLike>>,
    options: RunOptions = {},
  ): Promise<Results> {
    return coded('The run failed', async () => (await this.runFrom(feeds, options)).outputs as Results);
  }

  /** A run, which may be a stream's. @internal */
  async runFrom(feeds: Readonly<Record<string, ValueLike>>, options: RunOptions, state?: State): Promise<Ran> {
    checkRunOptions(options);
    throwIfAborted(options.signal);
    const { fetch, keep, transfer = false } = options;
    const resolved = { ...options };
    if (fetch !== undefined) resolved.fetch = this.#outputNames(fetch);
    if (keep !== undefined) resolved.keep = this.#outputNames(keep);
    // The stream may be disposed before the run begins.
    const own = state?.share();
    try {
      const taken = this.#guard((backend) =>
        backend.take(this.#checkFeeds(feeds, backend.home, own), this.#underWay === 0, transfer, own),
      );
      return await this.#enqueue(async (backend) => {
        try {
          throwIfAborted(options.signal);
          return await backend.run(taken, resolved, own);
        } finally {
          disposeAll(taken?.values() ?? []);
        }
      });
    } finally {
      own?.dispose();
    }
  }

  /** A stream's state as tensors that stay in the engine; with a length, only their first positions. @internal */
  partsOf(state: State, length?: number): Promise<Tensor[]> {
    return this.#enqueue((backend) => backend.partsOf(state, length));
  }

  /**
   * Puts a tensor into the engine, where runs of this session take it without a copy: an input that stays the same for
   * many of them. It is like an output that a run kept. With `part` only its first positions along an axis; of an output
   * that a run kept, nothing goes through JavaScript.
   */
  keep(tensor: TensorLike | TensorWithDims, part?: KeptPart): Promise<Tensor> {
    return coded('The tensor could not be taken into the engine', async () => {
      if (part !== undefined) checkKeptPart(part);
      const own = checkedTensor(tensor, 'keep').copy();
      try {
        return await this.#enqueue((backend) => backend.keep(own, part));
      } finally {
        own.dispose();
      }
    });
  }

  /**
   * Runs the model once on zeros (with several workers, once in each), so that the first real run need not plan. Dimensions that the model leaves open are 1
   * unless `dimensions` gives them by name.
   */
  warmup(dimensions: Readonly<Record<string, number>> = {}): Promise<void> {
    return coded('Warming up failed', async () => {
      const zeros = Object.fromEntries(zerosFor(this.inputs, dimensions));
      const runs = Array.from({ length: this.engine.workers ?? 1 }, () => this.run<Values>(zeros, { fetch: [] }));
      await Promise.all(runs);
    });
  }

  /** The steps of the plan that the last run used. */
  steps(): Promise<readonly Step[]> {
    return coded('The steps could not be read', () => this.#enqueue((backend) => backend.steps()));
  }

  /** The bytes this session holds. */
  memory(): Promise<MemoryUse> {
    return coded('The memory could not be read', () => this.#enqueue((backend) => backend.memory()));
  }

  /**
   * Gives all memory back. Calls that are under way have a second to end by themselves; then they fail with the code
   * "session_closed". Releasing twice is allowed.
   */
  release(): Promise<void> {
    this.#released ??= coded('Releasing the session failed', async () => {
      await this.#idleFor(releaseMilliseconds);
      this.#close('was released');
    });
    return this.#released;
  }

  /** For `using session = …`. */
  [Symbol.dispose](): void {
    this.release().catch(() => {});
  }

  /** For `await using session = …`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Waits for the calls under way, but no longer than that. */
  async #idleFor(milliseconds: number): Promise<void> {
    if (this.#underWay === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([this.#queue, late]);
    clearTimeout(timer);
  }

  #close(why: string): void {
    const backend = this.#backend;
    this.#backend = undefined;
    this.#end ||= why;
    backend?.release(this.#end);
  }

  /** Calls the backend now. After an error that leaves it in no state to go on, the session is closed. */
  #guard<T>(call: (backend: Backend) => T): T {
    if (this.#backend === undefined) {
      throw new NeuromancerError('session_closed', `This session ${this.#end}; load the model again.`);
    }
    try {
      return call(this.#backend);
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  #note(error: unknown): void {
    if (isFatal(error)) this.#close('was broken by an earlier error');
  }

  #enqueue<T>(call: (backend: Backend) => Promise<T>): Promise<T> {
    this.#underWay += 1;
    const before = this.#queue;
    // Several workers take calls as they come.
    const result = (this.engine.workers === undefined ? before : Promise.resolve()).then(() => this.#guard(call));
    const ended = result.then(
      () => {
        this.#underWay -= 1;
      },
      (error: unknown) => {
        this.#underWay -= 1;
        this.#note(error);
      },
    );
    this.#queue = before.then(() => ended);
    return result;
  }

  #outputNames(names: readonly string[]): string[] {
    const known = this.outputs.map(({ name }) => name);
    return names.flatMap((name) => {
      const found = matching(name, known);
      if (found !== undefined) return found;
      // The forms of names that go by number: "present.*" for "present.0.key".
      const forms = name.includes('*') ? known.map((other) => other.replace(/\d.*/, '*')) : known;
      throw new NeuromancerError(
        'invalid_argument',
        `The model has no output "${name}"; its outputs are ${known.map((other) => `"${other}"`).join(', ')}.${suggestion(name, forms)}`,
      );
    });
  }

  #checkFeeds(feeds: Readonly<Record<string, ValueLike>>, home: Home, state: State | undefined): Feeds {
    const known = () => this.inputs.map(({ name, type, shape }) => `"${name}" (${describe(type, shape)})`).join(', ');
    if (typeof feeds !== 'object' || feeds === null || Array.isArray(feeds) || ArrayBuffer.isView(feeds)) {
      throw new NeuromancerError(
        'invalid_argument',
        `The inputs are an object with a value for each name, not ${plainly(feeds)}; the model's inputs are ${known()}.`,
      );
    }
    const given: [ValueInfo, ValueLike][] = [];
    // Own properties, each read once: a name may be "constructor", and a getter may give something else every time.
    for (const [name, value] of Object.entries(feeds)) {
      const input = this.#byName.get(name);
      if (input === undefined) {
        throw new NeuromancerError(
          'invalid_argument',
          `The model has no input "${name}"; its inputs are ${known()}.${suggestion(name, [...this.#byName.keys()])}`,
          { input: name },
        );
      }
      if (value !== undefined && value !== null) given.push([input, value]);
    }
    // A stream gives sixty inputs at each token: they are not looked at when all are there.
    const all = given.length + (state?.size ?? 0) === this.inputs.length;
    const own = new Set(given.map(([{ name }]) => name));
    const missing = all
      ? []
      : this.inputs.filter(({ name, optional }, i) => !optional && !own.has(name) && !state?.gives(i));
    if (missing.length > 0) {
      const those = missing.map(({ name }) => `"${name}"`).join(', ');
      throw new NeuromancerError(
        'missing_input',
        `The run needs the input${missing.length > 1 ? 's' : ''} ${those}, not given; the model's inputs are ${known()}.`,
        { input: (missing[0] as ValueInfo).name },
      );
    }
    return new Map(
      given.map(([{ name, type }, value]) => [name, checkedValue(value, parseType(type), type, name, home)]),
    );
  }
}
