import type { Custom, CustomAttribute } from '../api/custom.js';
import type { EngineInfo, MemoryUse, ModelDescription, Step } from '../api/description.js';
import {
  asNeuromancerError,
  cancelled,
  type ErrorRecord,
  NeuromancerError,
  sessionClosed,
  tell,
  throwIfAborted,
} from '../api/errors.js';
import { isAddress, isBlob, readSource, resolveUrl, type Source } from '../download/fetch.js';
import type { Backend, Feeds, KeptPart, LoadOptions, Ran, RunOptions, Taken } from '../engine/backend.js';
import { type Elements, type Handle, Home, type Reference } from '../engine/held.js';
import { threadCount } from '../engine/instance.js';
import { engineFor } from '../engine/loader.js';
import type { CancelFlag } from '../engine/local.js';
import type { State } from '../stream/state.js';
import { describe, Tensor, type TensorLike } from '../values/tensor.js';
import { disposeAll, isKept, type KeptRecord, mapTensors, ownValue, revived, type Value } from '../values/values.js';
import { keptOutputs } from './kept-numbers.js';
import type { Calls, ComputeCall, PostableSource } from './protocol.js';
import { WorkerCalls } from './worker-calls.js';

/** A worker whose cancelled run goes on for longer is ended: where a flag in shared memory stops runs, where none does. */
const graceMilliseconds = { flag: 500, message: 1000 };

/** Workers of sessions that nobody released end with the last reference to the session. */
const abandoned = new FinalizationRegistry<Link>(({ calls }) => calls?.close(sessionClosed('was given up')));

/** A worker that has the model. */
interface Connection {
  readonly calls: WorkerCalls;
  readonly loaded: Calls['load']['returns'];
}

/** The way to the worker, which is another one after a reload. */
interface Link {
  calls: WorkerCalls | undefined;
}

/** A session in a module worker of its own; the engine is compiled once, in this thread, and posted. */
export class RemoteBackend implements Backend {
  readonly description: ModelDescription;
  readonly engine: EngineInfo;
  readonly #custom: Custom | undefined;
  readonly #link: Link;
  readonly #reload: (() => Promise<Connection>) | undefined;
  #flag: CancelFlag | undefined;
  #home: Home;
  /** Of a cancelled run that may still be going on: settles when the worker is free or ended. */
  #stopping: Promise<void> = Promise.resolve();

  static async load(source: Source, options: LoadOptions, custom: Custom | undefined): Promise<RemoteBackend> {
    const connection = await connect(source, options, custom);
    const { externalData = {}, onProgress: _, signal: __, ...rest } = options;
    const again = [source, ...Object.values(externalData)].every((from) => isAddress(from) || isBlob(from));
    const reload = again ? () => connect(source, { ...rest, externalData }, custom) : undefined;
    return new RemoteBackend(connection, custom, reload);
  }

  private constructor(
    { calls, loaded }: Connection,
    custom: Custom | undefined,
    reload: (() => Promise<Connection>) | undefined,
  ) {
    this.#custom = custom;
    this.#link = { calls };
    this.#reload = reload;
    this.description = loaded.description;
    this.engine = loaded.engine;
    this.#flag = loaded.cancelFlag;
    this.#home = this.#homeOf(calls);
    abandoned.register(this, this.#link, this);
  }

  get home(): Home {
    return this.#home;
  }

  take(feeds: Feeds, _: boolean, transfer = false): Taken {
    return takenFor(feeds, transfer);
  }

  async run(
    taken: Taken,
    { signal, profile, trace, outputs: mode, fetch, keep = [], cache }: RunOptions,
    state?: State,
  ): Promise<Ran> {
    if (trace !== undefined) {
      throw new NeuromancerError(
        'invalid_argument',
        'Steps can be traced in this thread only: load the session without "worker", or leave out "trace".',
      );
    }
    if (mode === 'view') {
      throw new NeuromancerError(
        'invalid_argument',
        'Outputs as views need the session in this thread: load it without "worker", or leave out outputs: "view".',
      );
    }
    const calls = await this.#connected();
    throwIfAborted(signal);
    const flag = this.#flag;
    const transfer: Transferable[] = [];
    const home = this.#home;
    const feeds: [string, unknown][] = [];
    const kept: number[] = [];
    this.description.inputs.forEach(({ name }, index) => {
      const value = (taken as Feeds).get(name);
      if (isKept(value)) kept.push(index, value.reference.handleIn(home));
      else if (value !== undefined) feeds.push([name, mapTensors(value, (tensor) => record(tensor, home, transfer))]);
    });
    const given: Calls['run']['given'] = {
      feeds,
      kept,
      fetch,
      keep,
      cache,
      // In steps, between which the worker hears of the signal, only where nothing else can stop the run: the flag in
      // shared memory does not while the worker waits for this thread.
      abortable: signal !== undefined && (flag === undefined || this.#custom !== undefined),
      wantsProfile: profile !== undefined,
      state: state?.reference?.handleIn(home) ?? state?.form,
    };
    const computing = new Computing(this.#custom, home, signal);
    const { id, result } = calls.call('run', given, {
      transfer,
      compute: (call) => void computing.answer(call, (...computed) => calls.computed(id, ...computed)),
    });
    const ran = computing.blame(result).then(({ outputs, kept: staying, state: next, profile: times }) => {
      if (times !== undefined) tell(profile, 'profile', times);
      const local = (from: KeptRecord) => keptTensor(from, home);
      const named = Object.fromEntries([
        ...keptOutputs(staying).map(([output, from]) => [this.description.outputs[output]?.name, local(from)]),
        ...outputs.map(([name, value]) => [name, revived(value, local)]),
      ]);
      return { outputs: named, state: next && state?.next(home, next.kept, next.length) };
    });
    return signal === undefined ? ran : this.#abortable(calls, id, ran, signal);
  }

  async keep(tensor: Tensor, part?: KeptPart): Promise<Tensor> {
    const calls = await this.#connected();
    const home = this.#home;
    const transfer: Transferable[] = [];
    const given = { tensor: record(tensor, home, transfer), part };
    return keptTensor(await calls.call('keep', given, { transfer }).result, home);
  }

  async partsOf({ reference }: State, length: number | undefined): Promise<Tensor[]> {
    const calls = await this.#connected();
    const home = this.#home;
    const state = (reference as Reference).handleIn(home);
    return (await calls.call('partsOf', { state, length }).result).map((part) => keptTensor(part, home));
  }

  async steps(): Promise<readonly Step[]> {
    return (await this.#connected()).call('steps', null).result;
  }

  async memory(): Promise<MemoryUse> {
    return (await this.#connected()).call('memory', null).result;
  }

  release(why: string): void {
    abandoned.unregister(this);
    this.#home.close(`its session ${why}`);
    this.#link.calls?.close(sessionClosed(why));
    this.#link.calls = undefined;
  }

  /** The worker when it is free; a new one where the last one had to be ended. */
  async #connected(): Promise<WorkerCalls> {
    await this.#stopping;
    if (this.#link.calls !== undefined) return this.#link.calls;
    if (this.#reload === undefined) {
      throw new NeuromancerError(
        'session_closed',
        "The session's worker was ended, because a cancelled run would not stop, and the model's bytes are gone: load it " +
          'again. Sessions loaded from a URL or a Blob do so by themselves.',
      );
    }
    const { calls, loaded } = await this.#reload();
    this.#link.calls = calls;
    this.#flag = loaded.cancelFlag;
    this.#home = this.#homeOf(calls);
    return calls;
  }

  /** Its values keep this backend, and with it the worker, while somebody has them. */
  #homeOf(calls: WorkerCalls): Home {
    const dropped: Handle[] = [];
    return new Home(false, {
      read: (handle) => this.#read(calls, handle),
      drop: (handle) => {
        // A decoder's cache is many tensors: one message for all that go together.
        if (dropped.push(handle) === 1) queueMicrotask(() => calls.drop(dropped.splice(0) as number[]));
      },
    });
  }

  #read(calls: WorkerCalls, handle: number): Promise<Elements> {
    return calls.call('read', handle).result;
  }

  /**
   * The result, or `cancelled` at the signal, whatever the model does. A run that goes on regardless is stopped by ending
   * its worker.
   */
  #abortable(calls: WorkerCalls, id: number, result: Promise<Ran>, signal: AbortSignal): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const stopped = result.then(
        () => {},
        () => {},
      );
      const abort = () => {
        const flag = this.#flag;
        // Again and again: a run that is about to begin lowers the flag once more.
        const raising = flag && setInterval(() => raise(flag), 10);
        if (flag !== undefined) raise(flag);
        calls.abort(id);
        reject(cancelled(signal));
        // Nobody receives what a run that ends all the same has kept.
        const drop = ({ outputs, state }: Ran) => {
          disposeAll(Object.values(outputs));
          state?.dispose();
        };
        void result.then(drop).catch(() => {});
        const grace = setTimeout(
          () => {
            calls.close(cancelled(signal));
            if (this.#link.calls !== calls) return;
            this.#link.calls = undefined;
            this.#home.close('a cancelled run would not stop, and its worker was ended');
          },
          flag === undefined ? graceMilliseconds.message : graceMilliseconds.flag,
        );
        this.#stopping = stopped.then(() => {
          clearTimeout(grace);
          clearInterval(raising);
        });
      };
      signal.addEventListener('abort', abort, { once: true });
      result.then(resolve, reject);
      void stopped.then(() => signal.removeEventListener('abort', abort));
    });
  }
}

type Computed = { outputs: readonly unknown[] } | { failed: ErrorRecord };

/** The custom operators of one run in the worker. */
class Computing {
  readonly #custom: Custom | undefined;
  readonly #home: Home;
  readonly #signal: AbortSignal | undefined;
  /** The worker's error is a copy of it, without its cause. */
  #failure: unknown;

  constructor(custom: Custom | undefined, home: Home, signal: AbortSignal | undefined) {
    this.#custom = custom;
    this.#home = home;
    this.#signal = signal;
  }

  async answer(
    { node, attributes, inputs }: ComputeCall,
    post: (computed: Computed, transfer: Transferable[]) => void,
  ): Promise<void> {
    const local = (value: unknown) => revived(value, (kept) => keptTensor(kept, this.#home));
    const named = Object.fromEntries(attributes.map(([name, value]) => [name, local(value) as CustomAttribute]));
    const transfer: Transferable[] = [];
    try {
      const custom = this.#custom as Custom;
      const outputs = await custom.compute({ ...node, attributes: named }, inputs.map(local), this.#signal);
      const own = (tensor: Tensor) => record(tensor.copy(), this.#home, transfer);
      post({ outputs: outputs.map((value) => mapTensors(value, own)) }, transfer);
    } catch (error) {
      this.#failure = asNeuromancerError(error, 'operator_failed', `The custom operator ${node.operator} failed`);
      post({ failed: (this.#failure as NeuromancerError).toRecord() }, []);
    }
  }

  async blame<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw this.#failure ?? error;
    }
  }
}

/** The inputs of a run in memory that nobody else knows of: copies, or the caller's own arrays, taken away. */
export function takenFor(feeds: Feeds, transfer: boolean): Taken {
  const own = (value: Value) => (transfer ? (mapTensors(value, movedTensor) as Value) : ownValue(value));
  return new Map([...feeds].map(([name, value]) => [name, own(value)]));
}

function movedTensor(tensor: Tensor): Tensor {
  const { type, shape, reference } = tensor;
  const data = reference === undefined ? tensor.data : undefined;
  // Shared memory and that of a WebAssembly instance stay where they are.
  if (!ArrayBuffer.isView(data) || !isWhole(data)) return tensor.copy();
  try {
    return new Tensor(type, structuredClone(data, { transfer: [data.buffer] }), shape);
  } catch {
    return tensor.copy();
  }
}

function isWhole({ buffer, byteLength }: ArrayBufferView): boolean {
  return buffer.byteLength === byteLength;
}

/** How a tensor goes to the worker; the memory that it gives away is added to `transfer`. */
function record(tensor: Tensor, home: Home, transfer: Transferable[]): TensorLike | KeptRecord {
  const { type, shape, reference } = tensor;
  if (reference !== undefined) return { type, shape, kept: reference.handleIn(home) };
  const { data } = tensor;
  if (ArrayBuffer.isView(data)) transfer.push(data.buffer as ArrayBuffer);
  return { type, data, shape };
}

function keptTensor({ type, shape, kept }: KeptRecord, home: Home): Tensor {
  return new Tensor(type, home.hold(kept, describe(type, shape)), shape);
}

function raise({ memory, address }: CancelFlag): void {
  Atomics.store(new Int32Array(memory, address, 1), 0, 1);
}

/** Starts a worker and loads the model in it. Its download and the engine's go on at the same time. */
async function connect(source: Source, options: LoadOptions, custom: Custom | undefined): Promise<Connection> {
  const { signal, onProgress } = options;
  const threads = threadCount(options);
  throwIfAborted(signal);
  const calls = new WorkerCalls();
  const engine = engineFor(options, threads, signal);
  // Ends what goes on at the same time when one of it fails.
  const failed = new AbortController();
  const abort = () => {
    calls.close(cancelled(signal as AbortSignal));
    failed.abort(signal?.reason);
  };
  signal?.addEventListener('abort', abort);
  const load = async () => {
    const read = (what: string, from: Source) => postable(what, from, failed.signal);
    const [model, ...data] = await Promise.all([
      read('the model', source),
      ...Object.entries(options.externalData ?? {}).map(([path, from]) => read(`the external data "${path}"`, from)),
    ]);
    const given: Calls['load']['given'] = {
      threads,
      source: model,
      externalData: Object.keys(options.externalData ?? {}).map((path, i) => [path, data[i] as PostableSource]),
      optimize: options.optimize ?? true,
      limits: { ...options.limits },
      freeDimensions: { ...options.freeDimensions },
      operators: custom?.declarations,
      wantsProgress: onProgress !== undefined,
    };
    const transfer = [model, ...data].flatMap((from) => (ArrayBuffer.isView(from) ? [from.buffer as ArrayBuffer] : []));
    return calls.call('load', given, { onProgress, engineFor: engine, transfer }).result;
  };
  try {
    const given = engine(0).then((module) => calls.giveModule(module));
    const [loaded] = await Promise.all([load(), given]);
    return { calls, loaded };
  } catch (error) {
    const reason = signal?.aborted
      ? cancelled(signal)
      : asNeuromancerError(error, 'internal', 'Loading the model in a worker failed');
    calls.close(reason);
    failed.abort();
    throw reason;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function postable(what: string, source: Source, signal: AbortSignal | undefined): Promise<PostableSource> {
  if (isAddress(source)) return resolveUrl(what, source).href;
  if (isBlob(source)) return source;
  // A copy: posting a view clones the whole buffer under it, and shared memory cannot be cloned everywhere.
  return readSource(what, source, { signal });
}
