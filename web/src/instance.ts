import { Engine, type EngineExports } from './engine.js';
import { NeuromancerError } from './errors.js';
import { detectFeatures } from './features.js';
import type { EngineOptions } from './loader.js';
import { needsSharedMemory, startThreads } from './threads.js';

/** More threads than this seldom help: the last cores are the slow ones, or the page's own. */
const mostDefaultThreads = 4;

/** The threads that a session is to have, its own included. */
export function threadCount(options: EngineOptions): number {
  const { threads, artefact } = options;
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1 || threads > 64)) {
    throw new NeuromancerError(
      'invalid_argument',
      `The option "threads" must be a whole number of 1 to 64, not ${threads}.`,
    );
  }
  if (artefact !== undefined && !artefact.includes('threads')) return 1;
  return threads ?? Math.min(detectFeatures().processors, mostDefaultThreads);
}

export interface Instance {
  readonly engine: Engine;
  /** The threads that take part, the caller's included. */
  readonly threads: number;
  /** Whether some of the threads have not begun yet. */
  threadsStarting(): boolean;
  stopThreads(): void;
}

/** A new instance with a memory of its own, and its workers when the module is a threaded one. */
export async function instantiate(module: WebAssembly.Module, threads: number): Promise<Instance> {
  if (needsSharedMemory(module)) return startThreads(module, threads);
  const { exports } = await WebAssembly.instantiate(module, {});
  return {
    engine: new Engine(exports as unknown as EngineExports),
    threads: 1,
    threadsStarting: () => false,
    stopThreads: () => {},
  };
}
