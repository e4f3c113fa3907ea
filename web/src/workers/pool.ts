// Several workers with the same model: runs go on beside each other.

import type { Custom } from '../api/custom.js';
import type { EngineInfo, MemoryUse, ModelDescription, Step } from '../api/description.js';
import { cancelled, NeuromancerError, sessionClosed, throwIfAborted, untilAborted } from '../api/errors.js';
import { readSource, type Source } from '../download/fetch.js';
import type { Backend, Feeds, LoadOptions, Ran, RunOptions, Taken } from '../engine/backend.js';
import { Home } from '../engine/held.js';
import { threadCount } from '../engine/instance.js';
import { engineFor } from '../engine/loader.js';
import { processorCount } from '../host/host.js';
import type { State } from '../stream/state.js';
import { RemoteBackend, takenFor } from './remote.js';

interface Waiting {
  give(worker: RemoteBackend): void;
  refuse(error: NeuromancerError): void;
  readonly signal: RunOptions['signal'];
}

/** Each worker is a RemoteBackend; a run goes to the one that has been free for the longest. */
export class PoolBackend implements Backend {
  readonly description: ModelDescription;
  readonly engine: EngineInfo;
  readonly home: Home;
  readonly #workers: readonly RemoteBackend[];
  readonly #free: RemoteBackend[];
  /** Runs that wait for a worker, the first in front. */
  readonly #waiting: Waiting[] = [];
  /** The one of the last run. */
  #last: RemoteBackend;
  /** Why it was released. */
  #end: string | undefined;

  static async load(
    source: Source,
    options: LoadOptions,
    workers: number,
    custom: Custom | undefined,
  ): Promise<PoolBackend> {
    const {
      onProgress,
      externalData = {},
      threads: given = Math.max(1, Math.floor(processorCount() / workers)),
    } = options;
    // Ends what goes on at the same time when one of it fails.
    const failed = new AbortController();
    const { signal } = failed;
    const abort = () => failed.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', abort);
    let loads: Promise<RemoteBackend>[] = [];
    try {
      // Downloaded once; workers share a Blob's bytes, and the compiled engine.
      const read = async (what: string, from: Source, told?: LoadOptions['onProgress']) =>
        new Blob([(await readSource(what, from, { signal, onProgress: told })) as Uint8Array<ArrayBuffer>]);
      const threads = threadCount({ ...options, threads: given });
      const engine = engineFor(options, threads, signal);
      const [, model, data] = await Promise.all([
        engine(0),
        read('the model', source, onProgress),
        Promise.all(
          Object.entries(externalData).map(
            async ([path, from]) => [path, await read(`the external data "${path}"`, from)] as const,
          ),
        ),
      ]);
      const wasm = await engine(data.reduce((sum, [, { size }]) => sum + size, model.size));
      const { onProgress: _, ...rest } = options;
      const each: LoadOptions = { ...rest, threads, wasm, signal, externalData: Object.fromEntries(data) };
      loads = Array.from({ length: workers }, () => RemoteBackend.load(model, each, custom));
      return new PoolBackend(await Promise.all(loads));
    } catch (error) {
      failed.abort();
      for (const load of loads) load.then((worker) => worker.release('was not needed')).catch(() => {});
      throw options.signal?.aborted ? cancelled(options.signal) : error;
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
  }

  private constructor(workers: readonly RemoteBackend[]) {
    const [first] = workers as [RemoteBackend, ...RemoteBackend[]];
    this.#workers = workers;
    this.#free = [...workers];
    this.#last = first;
    this.description = first.description;
    this.engine = { ...first.engine, workers: workers.length };
    this.home = new Home(false, { read: keptNowhere, drop: () => {} });
  }

  take(feeds: Feeds, _: boolean, transfer = false): Taken {
    return takenFor(feeds, transfer);
  }

  async run(taken: Taken, options: RunOptions, state?: State): Promise<Ran> {
    if (state !== undefined || (options.keep !== undefined && options.keep.length > 0)) keptNowhere();
    const worker = await this.#next(options.signal);
    // A released worker would start anew.
    if (this.#end !== undefined) throw sessionClosed(this.#end);
    this.#last = worker;
    try {
      return await worker.run(taken, options);
    } finally {
      this.#giveBack(worker);
    }
  }

  async keep(): Promise<never> {
    return keptNowhere();
  }

  async partsOf(): Promise<never> {
    return keptNowhere();
  }

  steps(): Promise<readonly Step[]> {
    return this.#last.steps();
  }

  async memory(): Promise<MemoryUse> {
    const uses = await Promise.all(this.#workers.map((worker) => worker.memory()));
    const names = Object.keys(uses[0] as MemoryUse) as (keyof MemoryUse)[];
    const sum = (name: keyof MemoryUse) => uses.reduce((total, use) => total + use[name], 0);
    return Object.fromEntries(names.map((name) => [name, sum(name)])) as unknown as MemoryUse;
  }

  release(why: string): void {
    this.#end = why;
    this.home.close(`its session ${why}`);
    for (const { refuse } of this.#waiting.splice(0)) refuse(sessionClosed(why));
    for (const worker of this.#workers) worker.release(why);
  }

  /** A worker for one run, as soon as one is free. */
  #next(signal: RunOptions['signal']): Promise<RemoteBackend> {
    throwIfAborted(signal);
    const free = this.#free.shift();
    if (free !== undefined) return Promise.resolve(free);
    const given = new Promise<RemoteBackend>((give, refuse) => {
      this.#waiting.push({ give, refuse, signal });
    });
    return untilAborted(signal, given);
  }

  #giveBack(worker: RemoteBackend): void {
    let next = this.#waiting.shift();
    // Cancelled runs are not removed from the middle of the line.
    while (next?.signal?.aborted) next = this.#waiting.shift();
    if (next === undefined) this.#free.push(worker);
    else next.give(worker);
  }
}

function keptNowhere(): never {
  throw new NeuromancerError(
    'invalid_argument',
    'Values stay in the engine of one worker, and the next run may go to another: load with "worker" in place of "workers".',
  );
}
