// Calls to one worker, matched with its replies by number.
import { type ErrorRecord, markFatal, NeuromancerError, tell } from '../api/errors.js';
import type { Progress } from '../download/fetch.js';
import type { EngineFor } from '../engine/loader.js';
import { type HostWorker, startWorker, type WorkerScript } from '../host/host-worker.js';
import type { CallName, Calls, ComputeCall, Reply } from './protocol.js';

interface Pending {
  resolve(returned: never): void;
  reject(error: NeuromancerError): void;
  onProgress: ((progress: Progress) => void) | undefined;
  compute: ((call: ComputeCall) => void) | undefined;
  engineFor: EngineFor | undefined;
}

let script: WorkerScript;

/** Said once, where this package's files are known. */
export function useWorkerScript(own: WorkerScript): void {
  script = own;
}

export class WorkerCalls {
  readonly #worker: HostWorker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #ended: NeuromancerError | undefined;
  /** The worker has answered once: its script is there and runs. */
  #answered = false;

  constructor() {
    this.#worker = startWorker(script);
    this.#worker.listen(
      (message) => this.#receive(message as Reply),
      (reason) => this.close(this.#failure(reason)),
    );
  }

  /** Why the worker has ended, if it has. */
  get ended(): NeuromancerError | undefined {
    return this.#ended;
  }

  call<Name extends CallName>(
    call: Name,
    given: Calls[Name]['given'],
    {
      onProgress,
      compute,
      engineFor,
      transfer,
    }: Partial<Pick<Pending, 'onProgress' | 'compute' | 'engineFor'>> & { transfer?: Transferable[] } = {},
  ): { id: number; result: Promise<Calls[Name]['returns']> } {
    const id = this.#nextId++;
    const result = new Promise<Calls[Name]['returns']>((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#worker.postMessage({ id, call, given }, transfer);
      this.#pending.set(id, { resolve, reject, onProgress, compute, engineFor });
      this.#worker.keepAlive(true);
    });
    return { id, result };
  }

  giveModule(module: WebAssembly.Module): void {
    this.#worker.postMessage({ id: 0, call: 'engine', module });
  }

  abort(id: number): void {
    if (this.#pending.has(id)) this.#worker.postMessage({ id, call: 'abort' });
  }

  /** What a custom operator of the run with that id has come to. */
  computed(
    id: number,
    result: { outputs: readonly unknown[] } | { failed: ErrorRecord },
    transfer: Transferable[],
  ): void {
    if (this.#pending.has(id)) this.#worker.postMessage({ id, call: 'computed', ...result }, transfer);
  }

  drop(kept: readonly number[]): void {
    if (this.#ended === undefined) this.#worker.postMessage({ id: 0, call: 'drop', kept });
  }

  /** Ends the worker; calls that are under way fail with `reason`. */
  close(reason: NeuromancerError): void {
    this.#ended ??= reason;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#worker.keepAlive(false);
  }

  #failure(reason: string): NeuromancerError {
    return markFatal(
      this.#answered
        ? new NeuromancerError('session_closed', `The session's worker has ended: ${reason}. Load the model again.`)
        : new NeuromancerError(
            'engine_unavailable',
            `The session's worker could not be started: ${reason}. It runs neuromancer/dist/worker.js, which has to be ` +
              'served; without the option "worker" the session runs in this thread.',
          ),
    );
  }

  #receive(reply: Reply): void {
    this.#answered = true;
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    if ('progress' in reply) {
      tell(pending.onProgress, 'onProgress', reply.progress);
      return;
    }
    if ('modelBytes' in reply) {
      pending.engineFor?.(reply.modelBytes).then((module) => this.giveModule(module), pending.reject);
      return;
    }
    if ('compute' in reply) {
      pending.compute?.(reply.compute);
      return;
    }
    this.#pending.delete(reply.id);
    this.#worker.keepAlive(this.#pending.size > 0);
    if ('failed' in reply) {
      const error = NeuromancerError.fromRecord(reply.failed);
      pending.reject(reply.fatal ? markFatal(error) : error);
    } else pending.resolve(reply.returned as never);
  }
}
