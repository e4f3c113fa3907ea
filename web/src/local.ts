import type { Backend, Feeds, LoadOptions, RunOptions, Values } from './backend.js';
import type { EngineInfo, MemoryUse, ModelDescription, Profile, Step, ValueInfo } from './description.js';
import { elementTypes } from './dtypes.js';
import type { Engine } from './engine.js';
import { asNeuromancerError, type NeuromancerError, throwIfAborted } from './errors.js';
import { bytesOf, newValue, readValues } from './exchange.js';
import { openSource, type Source } from './fetch.js';
import { nextTask } from './host.js';
import { type Instance, instantiate, threadCount } from './instance.js';
import { loadModel } from './load-model.js';
import { loadModule } from './loader.js';
import { Tensor } from './tensor.js';
import { parseType, type Value, type ValueType } from './values.js';

/** A sliced run lets other tasks in after this long, or after one step that takes longer. */
const sliceMilliseconds = 8;

/** A session in this thread: one engine instance with one memory. */
export class LocalBackend implements Backend {
  readonly description: ModelDescription;
  readonly engine: EngineInfo;
  readonly #engine: Engine;
  readonly #session: number;
  readonly #inputTypes: readonly ValueType[];
  readonly #threadsStarting: () => boolean;
  readonly #stopThreads: () => void;

  static async load(source: Source, options: LoadOptions): Promise<LocalBackend> {
    const threads = threadCount(options);
    const [module, model, externalData] = await Promise.all([
      loadModule(options, threads),
      openSource('the model', source, options),
      Promise.all(
        Object.entries(options.externalData ?? {}).map(async ([path, data]) => {
          return { path, data: await openSource(`the external data "${path}"`, data, { signal: options.signal }) };
        }),
      ),
    ]);
    throwIfAborted(options.signal);
    const instance = await instantiate(module, threads);
    try {
      const session = await loadModel(instance.engine, model, externalData, options);
      return new LocalBackend(instance, session);
    } catch (error) {
      instance.stopThreads();
      throw describeTrap(error);
    }
  }

  private constructor({ engine, threads, threadsStarting, stopThreads }: Instance, session: number) {
    this.#engine = engine;
    this.#session = session;
    this.#threadsStarting = threadsStarting;
    this.#stopThreads = stopThreads;
    this.description = engine.json(engine.exports.nm_describe(session));
    this.#inputTypes = this.description.inputs.map(({ type }) => parseType(type));
    this.engine = { ...engine.json<EngineInfo>(engine.exports.nm_build_info()), threads };
  }

  async run(feeds: Feeds, options: RunOptions): Promise<Values> {
    return trapped(async () => {
      // Workers start only when this thread turns to its event loop, which a caller that runs again and again may
      // never let it do. One turn is not a wait: the run then goes on with the threads that are there.
      if (this.#threadsStarting()) await nextTask();
      const { exports } = this.#engine;
      this.description.inputs.forEach(({ name }, index) => {
        this.#bind(index, feeds.get(name));
      });
      if (options.signal === undefined && options.profile === undefined) {
        this.#engine.checkCount(exports.nm_run(this.#session));
      } else {
        await this.#runInSlices(options);
      }
      return this.#outputs(options.outputs ?? 'copy');
    });
  }

  async steps(): Promise<readonly Step[]> {
    return trapped(() => this.#steps());
  }

  async memory(): Promise<MemoryUse> {
    return trapped(() => this.#engine.json<MemoryUse>(this.#engine.exports.nm_memory(this.#session)));
  }

  /** Stops the threads; the instance and its memory go with the last reference to this backend. */
  async release(): Promise<void> {
    this.#stopThreads();
  }

  #steps(): readonly Step[] {
    return this.#engine.json<Step[]>(this.#engine.exports.nm_steps(this.#session));
  }

  #bind(index: number, value: Value): void {
    const { exports } = this.#engine;
    if (!(value instanceof Tensor) || value.type === 'string') {
      const made = value === undefined ? 0 : newValue(this.#engine, value, this.#inputTypes[index] as ValueType);
      this.#engine.checkCount(exports.nm_input_value(this.#session, index, made));
      return;
    }
    const { number } = elementTypes[value.type];
    const dims = bytesOf(BigInt64Array.from(value.shape, BigInt));
    const address = this.#engine.with([dims], (dimsAt) =>
      this.#engine.checkPointer(exports.nm_input(this.#session, index, number, dimsAt as number, value.shape.length)),
    );
    const data = bytesOf(value.data as ArrayBufferView);
    this.#engine.bytes(address, data.byteLength).set(data);
  }

  /** Step by step, so that a signal can stop the run and a profile can time it with this host's clock. */
  async #runInSlices({ signal, profile }: RunOptions): Promise<void> {
    const { exports } = this.#engine;
    const start = performance.now();
    this.#engine.checkCount(exports.nm_run_begin(this.#session));
    const times: number[] = [];
    let slice = start;
    let before = performance.now();
    for (let left = Number.POSITIVE_INFINITY; left > 0; ) {
      left = this.#engine.checkCount(exports.nm_run_steps(this.#session, 1));
      const after = performance.now();
      times.push(after - before);
      before = after;
      if (signal !== undefined && after - slice > sliceMilliseconds) {
        await nextTask();
        throwIfAborted(signal);
        slice = before = performance.now();
      }
    }
    if (profile !== undefined) profile(this.#profile(times, before - start));
  }

  #profile(times: readonly number[], milliseconds: number): Profile {
    return { milliseconds, steps: this.#steps().map((step, i) => ({ ...step, milliseconds: times[i] ?? 0 })) };
  }

  #outputs(mode: 'copy' | 'view'): Values {
    const outputs: Values = {};
    const ports = this.description.outputs;
    const values = ports.map((_, i) => this.#engine.checkPointer(this.#engine.exports.nm_output(this.#session, i)));
    readValues(this.#engine, values, mode).forEach((value, i) => {
      if (value !== undefined) outputs[(ports[i] as ValueInfo).name] = value;
    });
    return outputs;
  }
}

function trapped<T>(call: () => T): T {
  try {
    const result = call();
    if (result instanceof Promise) return result.catch((error) => Promise.reject(describeTrap(error))) as T;
    return result;
  } catch (error) {
    throw describeTrap(error);
  }
}

/** A trap of the engine is a defect of the engine: say so, and keep the trap as the cause. */
function describeTrap(error: unknown): NeuromancerError {
  return asNeuromancerError(
    error,
    'internal',
    'The engine stopped on an internal error, which is a defect of Neuromancer (this session cannot be used again)',
  );
}
