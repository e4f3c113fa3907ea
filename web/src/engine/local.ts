import type { CacheType } from '../api/cache-type.js';
import { type Custom, type CustomNode, operatorFailed } from '../api/custom.js';
import type { EngineInfo, MemoryUse, ModelDescription, Profile, Step, TracedStep } from '../api/description.js';
import {
  asNeuromancerError,
  markFatal,
  NeuromancerError,
  sessionClosed,
  tell,
  throwIfAborted,
  untilAborted,
} from '../api/errors.js';
import { type FetchOptions, type OpenStream, openSource, type Source } from '../download/fetch.js';
import { kindOf, nextTask, now } from '../host/host.js';
import type { CompiledModule, WebAbortSignal } from '../host/host-types.js';
import type { State } from '../stream/state.js';
import { elementTypes } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { disposeAll, isKept, ownValue, parseType, type Value, type ValueType } from '../values/values.js';
import type { Backend, Feeds, KeptPart, LoadOptions, Ran, RunOptions, Taken } from './backend.js';
import { CustomCalls } from './custom-call.js';
import { type Engine, type Instance, isTrap, unsigned } from './engine.js';
import { bytesOf, keepValue, newValue, readValues, shortenValue, writeElements } from './exchange.js';
import { detectFeatures } from './features.js';
import { type Elements, Home, type Keeper } from './held.js';
import { instantiate, joinInstance, threadCount } from './instance.js';
import { knownBytes, loadModel } from './load-model.js';
import { canHave64, type EngineFor, engineFor, loadModule } from './loader.js';

/** A sliced run lets other tasks in after this long, or after one step that takes longer. */
const sliceMilliseconds = 8;

/** What sessions that nobody released have of the engine ends with the last reference to the session. */
const abandoned = new FinalizationRegistry<() => void>((leave) => leave());

/** The word in shared memory that stops a run when it is not zero. */
export interface CancelFlag {
  readonly memory: SharedArrayBuffer;
  readonly address: number;
}

/** Outputs and their numbers. */
interface Chosen {
  readonly kept: { name: string; index: number }[];
  readonly read: { name: string; index: number }[];
}

/** A session in this thread: one engine instance with one memory, or, with `shared`, a part of one. */
export class LocalBackend implements Backend {
  readonly description: ModelDescription;
  readonly engine: EngineInfo;
  readonly #engine: Engine;
  readonly #session: number;
  readonly #inputTypes: readonly ValueType[];
  readonly home: Home;
  /** Outputs that have memory of their own in every run, and how their caches are stored. */
  readonly #kept = new Map<number, CacheType>();
  /** Outputs that runs leave out. */
  readonly #unwanted = new Set<number>();
  readonly #custom: Custom | undefined;
  readonly #calls: CustomCalls;
  /** Ends the wait for a custom operator. */
  #giveUp: (why: NeuromancerError) => void = () => {};
  readonly #instance: Instance;
  /** Gives back what the session has of the engine. */
  readonly #leave: () => void;
  /** Calls that have not ended. */
  #underWay = 0;
  /** What calls fail with that a release has found under way. */
  #released: NeuromancerError | undefined;

  /**
   * `custom` computes the operators that the options name; `given` has the engine, where the caller loads it.
   */
  static async load(source: Source, options: LoadOptions, custom?: Custom, given?: EngineFor): Promise<LocalBackend> {
    const threads = threadCount(options);
    const { signal } = options;
    const compiled = given ?? engineFor(options, threads, signal);
    const opened: Promise<OpenStream>[] = [];
    const open = (what: string, from: Source, more: FetchOptions) => {
      const stream = openSource(what, from, more);
      opened.push(stream);
      return stream;
    };
    try {
      const [, model, externalData] = await Promise.all([
        compiled(0),
        open('the model', source, options),
        Promise.all(
          Object.entries(options.externalData ?? {}).map(async ([path, data]) => {
            return { path, data: await open(`the external data "${path}"`, data, { signal }) };
          }),
        ),
      ]);
      const module = await compiled(knownBytes(model, externalData));
      throwIfAborted(signal);
      const instance = await (options.shared ? joinInstance : instantiate)(module, threads);
      try {
        const session = await loadModel(instance.engine, model, externalData, options, custom?.declarations);
        await instance.started;
        return new LocalBackend(instance, session, custom);
      } catch (error) {
        instance.leave();
        throw describeFailure(error, instance);
      }
    } finally {
      // Of a load that failed half-way, no download goes on.
      for (const stream of opened) stream.then(({ close }) => close()).catch(() => {});
    }
  }

  /** The session in a module that has one inside. */
  static async open(
    source: CompiledModule | Source,
    signal: AbortSignal | undefined,
    custom: Custom | undefined,
  ): Promise<LocalBackend> {
    const module = await loadModule({ wasm: source }, 1, signal);
    const instance = await instantiate(module, 1);
    const session = (instance.engine.exports as { nm_session?: WebAssembly.Global }).nm_session?.value as number;
    if (session !== undefined) return new LocalBackend(instance, session, custom);
    throw new NeuromancerError(
      'invalid_model',
      'The WebAssembly module has no model inside; neuromancer/bundle makes one that has, and Session.load takes models.',
    );
  }

  constructor(instance: Instance, session: number, custom?: Custom) {
    const { engine, shared } = instance;
    this.#instance = instance;
    this.#engine = engine;
    this.#session = session;
    this.#custom = custom;
    this.#calls = new CustomCalls(engine, session);
    this.#leave = () => {
      if (shared !== undefined && shared.trap === undefined) engine.exports.nm_release(session);
      instance.leave();
    };
    this.description = engine.json(engine.exports.nm_describe(session));
    this.#inputTypes = this.description.inputs.map(({ type }) => parseType(type));
    this.engine = {
      ...engine.json<EngineInfo>(engine.exports.nm_build_info()),
      threads: instance.threads,
      worker: false,
    };
    const keeper: Keeper = {
      read: (handle) => (readValues(engine, [handle], 'copy')[0] as Tensor).data as Elements,
      drop: (handle) => {
        if (shared?.trap === undefined) for (const value of [handle].flat()) engine.exports.nm_free_value(value);
      },
    };
    this.home = new Home(true, keeper, shared !== undefined);
    abandoned.register(this, this.#leave, this);
  }

  /** Where another thread may stop a run of this session; only in shared memory. */
  get cancelFlag(): CancelFlag | undefined {
    const memory = this.#engine.exports.memory.buffer as ArrayBufferLike;
    // A page that is not isolated has shared memory, too, and cannot give it to anybody.
    return isShared(memory) && detectFeatures().sharedMemory ? { memory, address: this.#flagAddress } : undefined;
  }

  get #flagAddress(): number {
    return unsigned(this.#engine.exports.nm_cancel_flag(this.#session));
  }

  take(feeds: Feeds, idle: boolean, _?: boolean, state?: State): Taken {
    if (!idle) return new Map([...feeds].map(([name, value]) => [name, ownValue(value)]));
    try {
      this.#checkInstance();
      this.#bindAll(feeds, state);
    } catch (error) {
      throw describeFailure(error, this.#instance);
    }
    return null;
  }

  run(taken: Taken, options: RunOptions, state?: State): Promise<Ran> {
    return this.#guarded(async () => {
      let trapped = false;
      try {
        return await this.#runAndRead(taken, options, state);
      } catch (error) {
        trapped = isTrap(error);
        throw error;
      } finally {
        // Views are of memory that the session has until its next run.
        if (!trapped && this.#instance.shared !== undefined && options.outputs !== 'view') {
          this.#engine.exports.nm_trim(this.#session);
        }
      }
    });
  }

  async #runAndRead(taken: Taken, options: RunOptions, state: State | undefined): Promise<Ran> {
    // Workers start only when this thread turns to its event loop, which a caller that runs again and again may
    // never let it do. One turn is not a wait: the run then goes on with the threads that are there.
    if (this.#instance.threadsStarting()) await nextTask();
    if (taken !== null) this.#bindAll(taken, state);
    const chosen = this.#chooseOutputs(options, state);
    const { signal, profile, trace } = options;
    if (signal === undefined && profile === undefined && trace === undefined && this.#custom === undefined) {
      this.#engine.checkCount(this.#engine.exports.nm_run(this.#session));
    } else {
      await this.#runInSlices(options);
    }
    return this.#outputs(chosen, options.outputs ?? 'copy', state);
  }

  keep(tensor: Tensor, part?: KeptPart): Promise<Tensor> {
    return this.#guarded(async () => {
      const { type } = tensor;
      const value = newValue(this.#engine, tensor, { kind: 'tensor', type }, this.home);
      const own = part === undefined ? value : shortenValue(this.#engine, value, part);
      return keepValue(this.#engine, own, this.home) as Tensor;
    });
  }

  partsOf(state: State, length: number | undefined): Promise<Tensor[]> {
    return this.#guarded(async () => {
      const values = state.values(this.#engine, this.home, length);
      return Array.from(values, (value) => keepValue(this.#engine, value, this.home) as Tensor);
    });
  }

  steps(): Promise<readonly Step[]> {
    return this.#guarded(async () => this.#steps());
  }

  memory(): Promise<MemoryUse> {
    return this.#guarded(async () => this.#engine.json<MemoryUse>(this.#engine.exports.nm_memory(this.#session)));
  }

  /** Stops the threads; the instance and its memory go with the last reference to this backend, or to the last that shares it. */
  release(why: string): void {
    abandoned.unregister(this);
    this.home.close(`its session ${why}`);
    this.#released = sessionClosed(why);
    this.#giveUp(this.#released);
    // In an instance that goes on, what a call is about to use must not go before it.
    if (this.#instance.shared === undefined || this.#underWay === 0) this.#leave();
  }

  async #guarded<T>(call: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      this.#checkInstance();
      return await call();
    } catch (error) {
      throw describeFailure(error, this.#instance);
    } finally {
      this.#underWay -= 1;
      if (this.#released !== undefined && this.#underWay === 0) this.#leave();
    }
  }

  /** Has another session's trap ended the instance? */
  #checkInstance(): void {
    const trap = this.#instance.shared?.trap;
    if (trap === undefined) return;
    throw markFatal(
      new NeuromancerError(
        'session_closed',
        'The instance of the engine that this session shares was stopped by an error of another session; load the model again.',
        {},
        trap,
      ),
    );
  }

  #steps(): readonly Step[] {
    return this.#engine.json<Step[]>(this.#engine.exports.nm_steps(this.#session));
  }

  #bindAll(feeds: Feeds, state: State | undefined): void {
    // Declaring an input may move or overwrite what lies in the engine's memory: outputs of the last run that were
    // handed out as views, and come back as inputs.
    const own = new Map(
      [...feeds].map(([name, value]) => [name, this.#isInside(value) ? ownValue(value) : value] as const),
    );
    this.description.inputs.forEach(({ name }, index) => {
      if (!state?.gives(index)) this.#bind(index, own.get(name));
    });
    state?.bind(this.#engine, this.#session, this.home);
  }

  #isInside(value: Value): boolean {
    if (Array.isArray(value)) return value.some((item: Value) => this.#isInside(item));
    if (!(value instanceof Tensor) || isKept(value) || !ArrayBuffer.isView(value.data)) return false;
    const { buffer } = value.data as ArrayBufferView;
    return buffer === this.#engine.exports.memory.buffer || isShared(buffer);
  }

  #bind(index: number, value: Value): void {
    const { exports } = this.#engine;
    if (!(value instanceof Tensor) || value.type === 'string' || isKept(value)) {
      const type = this.#inputTypes[index] as ValueType;
      const made = value === undefined ? 0 : newValue(this.#engine, value, type, this.home);
      this.#engine.checkCount(exports.nm_input_value(this.#session, index, made));
      return;
    }
    const { number } = elementTypes[value.type];
    const dims = bytesOf(BigInt64Array.from(value.shape, BigInt));
    const address = this.#engine.with([dims], (dimsAt) =>
      this.#engine.checkPointer(exports.nm_input(this.#session, index, number, dimsAt as number, value.shape.length)),
    );
    writeElements(this.#engine, address, value);
  }

  /**
   * Step by step, so that a signal can stop the run and a profile can time it with this host's clock; or from one custom
   * operator to the next.
   */
  async #runInSlices({ signal, profile, trace }: RunOptions): Promise<void> {
    const { exports } = this.#engine;
    const start = now();
    this.#engine.checkCount(exports.nm_run_begin(this.#session));
    const stepped = profile !== undefined || trace !== undefined;
    const count = signal === undefined && !stepped ? 0xffffffff : 1;
    const plan = stepped ? this.#steps() : [];
    const steps = plan.length;
    const times: number[] = Array(steps).fill(0);
    let slice = start;
    let before = now();
    for (let left = steps, more = true; more; ) {
      const step = steps - left;
      left = this.#engine.checkCount(exports.nm_run_steps(this.#session, count));
      if (this.#custom !== undefined) await this.#compute(this.#custom, signal);
      more = left > 0;
      const after = now();
      // A loop takes many calls for its one step.
      if (trace !== undefined && left < steps - step) tell(trace, 'trace', this.#traced(plan, step));
      if (step < steps) times[step] = (times[step] as number) + after - before;
      before = after;
      if (signal !== undefined && after - slice > sliceMilliseconds) {
        await nextTask();
        if (signal.aborted || this.#released !== undefined) this.#endRun();
        throwIfAborted(signal);
        if (this.#released !== undefined) throw this.#released;
        slice = before = now();
      }
    }
    if (profile !== undefined) tell(profile, 'profile', this.#profile(times, before - start));
  }

  /** Computes the custom operator that the run waits for, if it does. */
  async #compute(custom: Custom, signal: WebAbortSignal | undefined): Promise<void> {
    const call = this.#calls.waiting();
    if (call === undefined) return;
    try {
      const given = new Promise<readonly Value[]>((resolve, reject) => {
        this.#giveUp = reject;
        custom.compute(call.node, call.inputs, signal).then(resolve, reject);
      });
      this.#give(call.node, await untilAborted(signal, given));
    } catch (error) {
      this.#endRun();
      throw error;
    }
  }

  #give(node: CustomNode, outputs: readonly Value[]): void {
    try {
      this.#calls.give(outputs, this.home);
    } catch (error) {
      throw error instanceof NeuromancerError ? operatorFailed(node, error) : error;
    }
  }

  /** A run that was broken off gives its memory back now, not with the next one. */
  #endRun(): void {
    const { memory, nm_run_steps } = this.#engine.exports;
    new Int32Array(memory.buffer, this.#flagAddress, 1)[0] = 1;
    nm_run_steps(this.#session, 1);
  }

  /** Tells the engine what becomes of each output, and returns those that are to be kept, and to be read. */
  #chooseOutputs({ fetch, keep = [], cache = 'float32' }: RunOptions, state: State | undefined): Chosen {
    const { nm_keep_output, nm_want_output } = this.#engine.exports;
    const stored = cache === 'float32' ? 0 : elementTypes[cache].number;
    const [fetched, keeps] = [fetch && new Set(fetch), new Set(keep)];
    // Where a caller asks for nothing at all, it is the run itself that counts.
    const all = fetched === undefined || (fetched.size + keeps.size === 0 && state === undefined);
    const chosen: Chosen = { kept: [], read: [] };
    this.description.outputs.forEach(({ name }, index) => {
      const kept = keeps.has(name);
      const read = !kept && (fetched?.has(name) ?? true);
      const stays = kept || state?.takes(index);
      if (kept) chosen.kept.push({ name, index });
      if (read) chosen.read.push({ name, index });
      // Drops plans, so only for an output that stays for the first time, or in another way.
      if (stays && this.#kept.get(index) !== cache) {
        this.#engine.checkCount(nm_keep_output(this.#session, index, stored));
        this.#kept.set(index, cache);
      }
      // What nobody asks for is not computed.
      const wanted = all || stays || read;
      if (wanted !== this.#unwanted.has(index)) return;
      this.#engine.checkCount(nm_want_output(this.#session, index, Number(wanted)));
      if (wanted) this.#unwanted.delete(index);
      else this.#unwanted.add(index);
    });
    return chosen;
  }

  #traced(plan: readonly Step[], index: number): TracedStep {
    const step = plan[index] as Step;
    const outputs = step.values.map((_, o) => {
      const value = this.#engine.exports.nm_step_value(this.#session, index, o);
      return value === 0 ? undefined : readValues(this.#engine, [value], 'copy')[0];
    });
    return { ...step, index, outputs };
  }

  #profile(times: readonly number[], milliseconds: number): Profile {
    return { milliseconds, steps: this.#steps().map((step, i) => ({ ...step, milliseconds: times[i] ?? 0 })) };
  }

  #outputs({ kept, read }: Chosen, mode: 'copy' | 'view', state: State | undefined): Ran {
    const engine = this.#engine;
    const { nm_output, nm_take_output } = engine.exports;
    const values: Value[] = [];
    let next: State | undefined;
    try {
      // What stays first, because views of the others last only until something is allocated.
      next = state?.take(engine, this.#session, this.home);
      for (const { index } of kept) {
        values.push(keepValue(engine, engine.checkPointer(nm_take_output(this.#session, index)), this.home));
      }
      const found = read.map(({ index }) => engine.checkPointer(nm_output(this.#session, index)));
      values.push(...readValues(engine, found, mode));
    } catch (error) {
      next?.dispose();
      disposeAll(values);
      throw error;
    }
    // Not by assignment: an output may be called "__proto__".
    const named = Object.fromEntries(
      [...kept, ...read].flatMap(({ name }, i) => (values[i] === undefined ? [] : [[name, values[i]]])),
    );
    return { outputs: named, state: next };
  }
}

function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  return kindOf(buffer) === 'SharedArrayBuffer';
}

/**
 * A trap of the engine leaves it in no state to go on. It is a defect of the engine, unless memory had run out: say so,
 * and keep the trap as the cause.
 */
function describeFailure(error: unknown, { engine, shared }: Instance): NeuromancerError {
  if (error instanceof NeuromancerError) {
    const { code, message, cause } = error as NeuromancerError;
    const remedy = code === 'out_of_memory' ? moreMemory(engine) : '';
    return remedy === '' ? error : new NeuromancerError(code, message + remedy, error, cause);
  }
  if (!isTrap(error)) return asNeuromancerError(error, 'internal', 'The session failed');
  if (shared !== undefined) shared.trap = error;
  if (engine.exports.nm_exhausted() === 1) {
    return markFatal(
      new NeuromancerError(
        'out_of_memory',
        "The engine's memory ran out and it could not go on (this session cannot be used again); release sessions, or use a smaller model or batch." +
          moreMemory(engine),
        {},
        error,
      ),
    );
  }
  return markFatal(
    asNeuromancerError(
      error,
      'internal',
      'The engine stopped on an internal error, which is a defect of Neuromancer (this session cannot be used again)',
    ),
  );
}

/** What helps besides when it was the addresses that ran out. */
function moreMemory({ mostBytes, exports }: Engine): string {
  const { byteLength } = exports.memory.buffer;
  return byteLength > mostBytes / 2 && canHave64(detectFeatures())
    ? ' The artefact "wasm64" reaches beyond 4 GiB.'
    : '';
}
