import type { Backend, Feeds, LoadOptions, Outputs, RunOptions, Values } from './backend.js';
import type { EngineInfo, MemoryUse, ModelDescription, Step, ValueInfo } from './description.js';
import { NeuromancerError, throwIfAborted } from './errors.js';
import type { Source } from './fetch.js';
import { LocalBackend } from './local.js';
import { RemoteBackend } from './remote.js';
import { describe } from './tensor.js';
import { checkedValue, parseType, type ValueLike } from './values.js';

/**
 * A loaded model. Each session is an engine instance of its own: sessions share no memory, and releasing one gives
 * all of its memory back. Calls on one session run one after the other.
 */
export class Session {
  /** Everything the engine knows of the model: name, producer, opsets, operators, sizes. */
  readonly model: ModelDescription;
  /** What the session runs on: version, artefact, threads. */
  readonly engine: EngineInfo;
  /** Absent once released, so that the instance and its memory can go although the session is still referred to. */
  #backend: Backend | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #released: Promise<void> | undefined;
  #broken = false;

  /** Loads an ONNX model from a URL, bytes, a Response or a Blob. */
  static async load(source: Source, options: LoadOptions = {}): Promise<Session> {
    throwIfAborted(options.signal);
    return new Session(await (options.worker ? RemoteBackend : LocalBackend).load(source, options));
  }

  private constructor(backend: Backend) {
    this.#backend = backend;
    this.model = backend.description;
    this.engine = backend.engine;
  }

  get inputs(): readonly ValueInfo[] {
    return this.model.inputs;
  }

  get outputs(): readonly ValueInfo[] {
    return this.model.outputs;
  }

  /**
   * Runs the model on a value per input and returns a value per output. Most models know tensors only, so that is what
   * the outputs are taken to be; for others say what they are: `run<{ probabilities: ValueMap[] }>(…)`.
   */
  async run<Results extends Values = Outputs>(
    feeds: Readonly<Record<string, ValueLike>>,
    options: RunOptions = {},
  ): Promise<Results> {
    throwIfAborted(options.signal);
    const values = this.#checkFeeds(feeds);
    return this.#enqueue((backend) => {
      throwIfAborted(options.signal);
      return backend.run(values, options) as Promise<Results>;
    });
  }

  /** The steps of the plan that the last run used. */
  steps(): Promise<readonly Step[]> {
    return this.#enqueue((backend) => backend.steps());
  }

  /** The bytes this session holds. */
  memory(): Promise<MemoryUse> {
    return this.#enqueue((backend) => backend.memory());
  }

  /** Gives all memory back, after the calls that are under way. Releasing twice is allowed. */
  release(): Promise<void> {
    this.#released ??= this.#queue.then(async () => {
      const backend = this.#backend;
      this.#backend = undefined;
      await backend?.release();
    });
    return this.#released;
  }

  #enqueue<T>(call: (backend: Backend) => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#backend === undefined) throw closed('was released');
      if (this.#broken) throw closed('was broken by an internal error');
      return call(this.#backend);
    });
    this.#queue = result.catch((error: unknown) => {
      this.#broken ||= error instanceof NeuromancerError && error.code === 'internal';
    });
    return result;
  }

  #checkFeeds(feeds: Readonly<Record<string, ValueLike>>): Feeds {
    const known = () => this.inputs.map(({ name, type, shape }) => `"${name}" (${describe(type, shape)})`).join(', ');
    for (const name of Object.keys(feeds)) {
      if (this.inputs.some((input) => input.name === name)) continue;
      throw new NeuromancerError('invalid_argument', `The model has no input "${name}"; its inputs are ${known()}.`, {
        input: name,
      });
    }
    const absent = (name: string) => feeds[name] === undefined || feeds[name] === null;
    const missing = this.inputs.filter(({ name, optional }) => !optional && absent(name));
    if (missing.length > 0) {
      const names = missing.map(({ name }) => `"${name}"`).join(', ');
      throw new NeuromancerError(
        'missing_input',
        `The run needs the input${missing.length > 1 ? 's' : ''} ${names}, not given; the model's inputs are ${known()}.`,
        { input: (missing[0] as ValueInfo).name },
      );
    }
    return new Map(
      this.inputs
        .filter(({ name }) => !absent(name))
        .map(({ name, type }) => [name, checkedValue(feeds[name], parseType(type), type, name)]),
    );
  }
}

function closed(why: string): NeuromancerError {
  return new NeuromancerError('session_closed', `This session ${why}; load the model again.`);
}
