// Threads of the threaded artefacts: workers that instantiate the same module on the same memory and then stay inside
// nm_worker_run, which takes shares of the session's work. docs/architecture.md has the start sequence.
import { Engine, type EngineExports } from './engine.js';
import { startWorker } from './host-worker.js';
import type { Instance } from './instance.js';

/** What a threaded artefact exports beyond the C ABI: what a thread's stack and thread-local block are set up with. */
export interface ThreadExports extends EngineExports {
  __stack_pointer: WebAssembly.Global<'i32'>;
  __tls_size: WebAssembly.Global<'i32'>;
  __wasm_init_tls(block: number): void;
  nm_worker_run(index: number): void;
}

/** What a worker is given to become a thread. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  index: number;
  /** The top of its stack, which grows downwards, and its thread-local block. */
  stackTop: number;
  tlsBlock: number;
}

const pageBytes = 65536;
const initialBytes = 16 * 1024 * 1024;
const maximumBytes = 4 * 1024 * 1024 * 1024;
const stackBytes = 256 * 1024;

export function needsSharedMemory(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.imports(module).some(({ kind }) => kind === 'memory');
}

/** Runs never wait for workers, so none of this waits for them either. */
export async function startThreads(module: WebAssembly.Module, threads: number): Promise<Instance> {
  const memory = new WebAssembly.Memory({
    initial: initialBytes / pageBytes,
    maximum: maximumBytes / pageBytes,
    shared: true,
  });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const shared = { ...exports, memory } as unknown as ThreadExports;
  const engine = new Engine(shared);
  engine.checkCount(shared.nm_set_threads(threads));
  const workers = Array.from({ length: threads - 1 }, (_, i) => {
    const worker = startWorker(
      () => new Worker(new URL('./thread.js', import.meta.url), { type: 'module' }),
      './thread.js',
    );
    const start: ThreadStart = {
      module,
      memory,
      index: i + 1,
      stackTop: engine.allocate(stackBytes, "a thread's stack") + stackBytes,
      tlsBlock: engine.allocate(Math.max(64, shared.__tls_size.value), "a thread's variables"),
    };
    worker.postMessage(start);
    return worker;
  });
  return {
    engine,
    threads,
    stopThreads: () => {
      for (const worker of workers) worker.terminate();
    },
  };
}
