// Threads of the threaded artefacts: workers that instantiate the same module on the same memory and then stay inside
// nm_worker_run, which takes shares of the session's work. Nothing here waits for them: a run uses those that are there.

import { NeuromancerError } from '../api/errors.js';
import { type HostWorker, startWorker, type WorkerScript } from '../host/host-worker.js';
import { Engine, type EngineExports, type Instance } from './engine.js';
import { Engine64, isMemory64 } from './memory64.js';

/** What a worker is given to become a thread. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  index: number;
  /** A block of the shared memory for its stack and its thread-local variables: as the module takes addresses. */
  stack: number | bigint;
  stackBytes: number | bigint;
}

const pageBytes = 65536;
/** What the artefact is linked for (INITIAL_MEMORY in cmake/wasm.cmake). */
const initialBytes = 4 * 1024 * 1024;
/** The most that the memory may grow to: a host short of address space refuses the larger ones. */
const maximumMegabytes = [16384, 8192, 4096, 2048, 1024, 512, 256];
/** What addresses of 32 bits reach. */
const mostMegabytes32 = 4096;
const stackBytes = 256 * 1024;

let script: WorkerScript;

/** Said once, where this package's files are known. */
export function useThreadScript(own: WorkerScript): void {
  script = own;
}

/** Threads that have not begun by then are not waited for; they join when they come. */
const patience = 3000;

export async function startThreads(module: WebAssembly.Module, threads: number): Promise<Instance> {
  const memory64 = isMemory64(module);
  const memory = sharedMemory(memory64);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, memory64: memory } });
  const engine = new (memory64 ? Engine64 : Engine)({ ...(exports as unknown as EngineExports), memory });
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
      const block = memory64 ? { stack: BigInt(stack), stackBytes: BigInt(stackBytes) } : { stack, stackBytes };
      worker.postMessage({ module, memory, index, ...block } satisfies ThreadStart);
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

function sharedMemory(memory64: boolean): WebAssembly.Memory {
  const initial = initialBytes / pageBytes;
  let refusal: unknown;
  for (const megabytes of maximumMegabytes) {
    if (!memory64 && megabytes > mostMegabytes32) continue;
    const maximum = (megabytes * 1024 * 1024) / pageBytes;
    const limits = memory64
      ? { address: 'i64', initial: BigInt(initial), maximum: BigInt(maximum) }
      : { initial, maximum };
    try {
      return new WebAssembly.Memory({ ...limits, shared: true } as WebAssembly.MemoryDescriptor);
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
