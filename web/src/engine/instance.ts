import { asNeuromancerError, NeuromancerError } from '../api/errors.js';
import { hasWorkers } from '../host/host.js';
import { ownFiles } from '../host/own-files.js';
import { Engine, type EngineExports, type Instance, type SharedInstance } from './engine.js';
import { detectFeatures } from './features.js';
import { type EngineOptions, forgetModule, isThreaded } from './loader.js';

/** More threads than this seldom help: the last cores are the slow ones, or the page's own. */
const mostDefaultThreads = 4;

/** The threads that a session is to have, its own included. */
export function threadCount(options: EngineOptions): number {
  const { threads, artefact } = options;
  if (!hasWorkers || (artefact !== undefined && !isThreaded(artefact))) return 1;
  return threads ?? Math.min(detectFeatures().processors, mostDefaultThreads);
}

/** A new instance with a memory of its own, and its workers when the module is a threaded one. */
export async function instantiate(module: WebAssembly.Module, threads: number): Promise<Instance> {
  checkModule(module);
  try {
    if (WebAssembly.Module.imports(module).length > 0) {
      const { startThreads } = ownFiles();
      // A memory to share can be made everywhere, for one thread too.
      if (startThreads !== undefined) return await startThreads(module, detectFeatures().sharedMemory ? threads : 1);
      throw new NeuromancerError(
        'engine_unavailable',
        'This entry of the package has no threads; give it the artefact "wasm" or "wasm-relaxed".',
      );
    }
    const { exports } = await WebAssembly.instantiate(module, {});
    return {
      engine: new Engine(exports as unknown as EngineExports),
      threads: 1,
      started: Promise.resolve(),
      threadsStarting: () => false,
      leave: () => {},
    };
  } catch (error) {
    throw asNeuromancerError(error, 'engine_unavailable', 'The engine could not be instantiated');
  }
}

interface Sharing extends SharedInstance {
  readonly instance: Promise<Instance>;
  sessions: number;
}

/** Instances that sessions share, by the module and the number of threads. */
const shared = new WeakMap<WebAssembly.Module, Map<number, Sharing>>();

/** The instance that sessions share, as one of them has it; a new one where there is none, or it has trapped. */
export async function joinInstance(module: WebAssembly.Module, threads: number): Promise<Instance> {
  const byThreads = shared.get(module) ?? new Map<number, Sharing>();
  shared.set(module, byThreads);
  let found = byThreads.get(threads);
  if (found === undefined || found.trap !== undefined) {
    found = { instance: instantiate(module, threads), sessions: 0, trap: undefined };
    byThreads.set(threads, found);
  }
  const sharing = found;
  const forget = () => {
    if (byThreads.get(threads) === sharing) byThreads.delete(threads);
  };
  sharing.sessions += 1;
  let instance: Instance;
  try {
    instance = await sharing.instance;
  } catch (error) {
    forget();
    throw error;
  }
  let here = true;
  const { engine, started } = instance;
  return {
    engine,
    get threads() {
      return instance.threads;
    },
    started,
    threadsStarting: () => instance.threadsStarting(),
    leave: () => {
      if (!here) return;
      here = false;
      sharing.sessions -= 1;
      if (sharing.sessions > 0) return;
      forget();
      instance.leave();
    },
    shared: sharing,
  };
}

/** Refuses modules that are another program, or the engine of another version of this package. */
function checkModule(module: WebAssembly.Module): void {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const missing = requiredExports.filter((name) => !names.has(name));
  const foreign = WebAssembly.Module.imports(module).filter(
    ({ module: from, name }) => !/^env\.memory(64)?$/.test(`${from}.${name}`),
  );
  if (missing.length === 0 && foreign.length === 0) return;
  forgetModule(module);
  const why =
    missing.length > 0 ? `it does not export ${missing[0]}` : `it imports ${foreign[0]?.module}.${foreign[0]?.name}`;
  throw new NeuromancerError(
    'engine_unavailable',
    `The WebAssembly module is not the engine of this version of Neuromancer (${why}): use the .wasm file of the same package.`,
  );
}

const requiredExports = [
  'nm_alloc',
  'nm_new_model',
  'nm_load',
  'nm_input',
  'nm_run',
  'nm_output',
  'nm_take_output',
  'nm_value_shape',
  'nm_limit',
  'nm_exhausted',
];
