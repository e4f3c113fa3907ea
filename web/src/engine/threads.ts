// Threads of the threaded artefacts: workers that instantiate the same module on the same memory and then stay inside
// nm_worker_run, which takes shares of the session's work. Nothing here waits for them: a run uses those that are there.

import { NeuromancerError } from '../api/errors.js';
import { type HostWorker, startWorker, type WorkerScript } from '../host/host-worker.js';
import type { ThreadFunctions } from './c-abi.js';
import { Engine, type EngineExports, type Instance } from './engine.js';

/** What a threaded artefact exports; nm_worker_run (engine/wasm/worker_entry.S) returns when it has to stop. */
export interface ThreadExports extends EngineExports, ThreadFunctions {}

/** What a worker is given to become a thread. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  index: number;
  /** A block of the shared memory for its stack and its thread-local variables. */
  stack: number;
  stackBytes: number;
}

const pageBytes = 65536;
/** What the artefact is linked for (INITIAL_MEMORY in cmake/wasm.cmake). */
const initialBytes = 4 * 1024 * 1024;
/** The most that the memory may grow to: a host short of address space refuses the larger ones. */
const maximumMegabytes = [4096, 2048, 1024, 512, 256];
const stackBytes = 256 * 1024;

let script: WorkerScript;

/** Said once, where this package's files are known. */
export function useThreadScript(own: WorkerScript): void {
  script = own;
}

/** Threads that have not begun by then are not waited for; they join when they come. */
const patience = 3000;

export async function startThreads(module: WebAssembly.Module, threads: number): Promise<Instance> {
  const memory = sharedMemory();
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const engine = new Engine({ ...(exports as unknown as ThreadExports), memory });
  engine.checkCount(engine.exports.nm_set_threads(threads));
  let starting = 0;
  let begun = 0;
  let settled = () => {};
  const settle = () => {
    starting -= 1;
    if (starting > 0) return;
    // Nobody came: loops need not be cut into shares.
    if (begun === 0) engine.exports.nm_set_threads(1);
    settled();
  };
  const workers: HostWorker[] = [];
  for (let index = 1; index < threads; index++) {
    const stack = engine.allocate(stackBytes, "a thread's stack");
    try {
      const worker = startWorker(script);
      starting += 1;
      let waiting = true;
      const once = (joins: boolean) => {
        if (!waiting) return;
        waiting = false;
        begun += joins ? 1 : 0;
        settle();
      };
      // A thread that cannot start (its script is not served) is missed by no run.
      worker.listen(
        () => once(true),
        () => once(false),
      );
      worker.postMessage({ module, memory, index, stack, stackBytes } satisfies ThreadStart);
      workers.push(worker);
    } catch {
      // This host starts no workers here: a Content-Security-Policy, a script on another site.
      engine.exports.nm_free(stack);
      break;
    }
  }
  const started =
    starting === 0
      ? Promise.resolve()
      : new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, patience);
          settled = () => {
            clearTimeout(timer);
            resolve();
          };
        });
  if (starting === 0) engine.exports.nm_set_threads(1);
  return {
    engine,
    get threads() {
      return 1 + begun;
    },
    started,
    threadsStarting: () => starting > 0,
    leave: () => {
      for (const worker of workers) worker.terminate();
    },
  };
}

function sharedMemory(): WebAssembly.Memory {
  let refusal: unknown;
  for (const megabytes of maximumMegabytes) {
    const maximum = (megabytes * 1024 * 1024) / pageBytes;
    try {
      return new WebAssembly.Memory({ initial: initialBytes / pageBytes, maximum, shared: true });
    } catch (error) {
      refusal = error;
    }
  }
  throw new NeuromancerError(
    'out_of_memory',
    'This host has no address space left for a shared memory; release sessions, or load with threads: 1.',
    {},
    refusal,
  );
}
