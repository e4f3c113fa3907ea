import type { Backend, Feeds, LoadOptions, RunOptions, Values } from './backend.js';
import type { EngineInfo, MemoryUse, ModelDescription, Step } from './description.js';
import { type ElementType, elementTypes, type TypedArray } from './dtypes.js';
import { cancelled, NeuromancerError } from './errors.js';
import { type Progress, readSource, resolveUrl, type Source } from './fetch.js';
import { type HostWorker, startWorker } from './host-worker.js';
import { threadCount } from './instance.js';
import { loadModule } from './loader.js';
import type { CallName, Calls, PostableSource, Reply } from './protocol.js';
import type { Tensor, TensorLike } from './tensor.js';
import { mapTensors, revived } from './values.js';

/** A session in a module worker of its own; the engine is compiled once, in this thread, and posted. */
export class RemoteBackend implements Backend {
  readonly description: ModelDescription;
  readonly engine: EngineInfo;
  readonly #calls: WorkerCalls;

  static async load(source: Source, options: LoadOptions): Promise<RemoteBackend> {
    const { signal } = options;
    const threads = threadCount(options);
    const [module, model, externalData] = await Promise.all([
      loadModule(options, threads),
      postable('the model', source),
      Promise.all(
        Object.entries(options.externalData ?? {}).map(async ([path, data]) => {
          return [path, await postable(`the external data "${path}"`, data)] as const;
        }),
      ),
    ]);
    if (signal?.aborted) throw cancelled(signal);
    const calls = new WorkerCalls();
    const abort = () => calls.close(cancelled(signal as AbortSignal));
    signal?.addEventListener('abort', abort);
    try {
      const given = {
        module,
        threads,
        source: model,
        externalData: Object.fromEntries(externalData),
        optimize: options.optimize ?? true,
        wantsProgress: options.onProgress !== undefined,
      };
      const { description, engine } = await calls.call('load', given, options.onProgress).result;
      return new RemoteBackend(calls, description, engine);
    } catch (error) {
      calls.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  private constructor(calls: WorkerCalls, description: ModelDescription, engine: EngineInfo) {
    this.#calls = calls;
    this.description = description;
    this.engine = engine;
  }

  async run(feeds: Feeds, { signal, profile, outputs: mode }: RunOptions): Promise<Values> {
    if (mode === 'view') {
      throw new NeuromancerError(
        'invalid_argument',
        'Outputs as views need the session in this thread: load it without "worker", or leave out outputs: "view".',
      );
    }
    const given = {
      feeds: Object.fromEntries([...feeds].map(([name, value]) => [name, mapTensors(value, record)])),
      abortable: signal !== undefined,
      wantsProfile: profile !== undefined,
    };
    const { id, result } = this.#calls.call('run', given);
    const abort = () => this.#calls.abort(id);
    signal?.addEventListener('abort', abort);
    try {
      const { outputs, profile: times } = await result;
      if (times !== undefined) profile?.(times);
      return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, revived(value)]));
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  steps(): Promise<readonly Step[]> {
    return this.#calls.call('steps', null).result;
  }

  memory(): Promise<MemoryUse> {
    return this.#calls.call('memory', null).result;
  }

  async release(): Promise<void> {
    await this.#calls.call('release', null).result;
    this.#calls.close();
  }
}

interface Pending {
  resolve(returned: never): void;
  reject(error: NeuromancerError): void;
  onProgress: ((progress: Progress) => void) | undefined;
}

/** Calls to one worker, matched with its replies by number. */
class WorkerCalls {
  readonly #worker: HostWorker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #ended: NeuromancerError | undefined;

  constructor() {
    this.#worker = startWorker(
      () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
      './worker.js',
    );
    this.#worker.listen(
      (message) => this.#receive(message as Reply),
      (reason) =>
        this.close(
          new NeuromancerError(
            'engine_unavailable',
            `The session's worker failed: ${reason}. It runs neuromancer/dist/worker.js, which must be served from the page's own site.`,
          ),
        ),
    );
  }

  call<Name extends CallName>(
    call: Name,
    given: Calls[Name]['given'],
    onProgress?: (progress: Progress) => void,
  ): { id: number; result: Promise<Calls[Name]['returns']> } {
    const id = this.#nextId++;
    const result = new Promise<Calls[Name]['returns']>((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#pending.set(id, { resolve, reject, onProgress });
      this.#worker.keepAlive(true);
      this.#worker.postMessage({ id, call, given });
    });
    return { id, result };
  }

  abort(id: number): void {
    if (this.#pending.has(id)) this.#worker.postMessage({ id, call: 'abort' });
  }

  /** Ends the worker; calls that are under way fail with `reason`. */
  close(
    reason = new NeuromancerError('session_closed', "The session's worker has ended; load the model again."),
  ): void {
    this.#ended ??= reason;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    if ('progress' in reply) {
      pending.onProgress?.(reply.progress);
      return;
    }
    this.#pending.delete(reply.id);
    this.#worker.keepAlive(this.#pending.size > 0);
    if ('failed' in reply) pending.reject(NeuromancerError.fromRecord(reply.failed));
    else pending.resolve(reply.returned as never);
  }
}

function record({ type, data, shape }: Tensor): TensorLike {
  // Posting a view clones the whole buffer under it, so a view of a part is copied first (and not by `slice`, which
  // for Node's Buffer does not copy).
  const partial = ArrayBuffer.isView(data) && data.byteLength !== data.buffer.byteLength;
  const { array: TypedArrayOf }: ElementType = elementTypes[type];
  return { type, data: partial && TypedArrayOf !== null ? new TypedArrayOf(data as TypedArray) : data, shape };
}

async function postable(what: string, source: Source): Promise<PostableSource> {
  if (typeof source === 'string' || source instanceof URL) return resolveUrl(what, source).href;
  if (typeof Blob !== 'undefined' && source instanceof Blob) return source;
  const bytes = await readSource(what, source);
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
