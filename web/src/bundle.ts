// A model and the engine in one WebAssembly file, whose instances are born with the session ready: loading, optimising
// and planning have been done when the file was made.

import { type CustomOperator, customOf } from './api/custom.js';
import { coded, throwIfAborted } from './api/errors.js';
import { checkOptions, type OptionRules } from './api/names.js';
import { snapshot } from './bundle/snapshot.js';
import { isSource, readSource, type Source } from './download/fetch.js';
import type { Limits } from './engine/backend.js';
import type { Engine, Instance } from './engine/engine.js';
import { instantiate } from './engine/instance.js';
import { loadModel, openModel } from './engine/load-model.js';
import { loadModule } from './engine/loader.js';
import { LocalBackend } from './engine/local.js';
import { filesBeside } from './files-beside.js';
import type { WebAbortSignal } from './host/host-types.js';
import { useFiles } from './host/own-files.js';
import { zerosFor } from './values/zeros.js';

useFiles(filesBeside);

export type { ErrorCode, ErrorPlace } from './api/errors.js';
export { NeuromancerError } from './api/errors.js';
export type { Source } from './download/fetch.js';

export interface BundleOptions {
  /**
   * Which build of the engine: "wasm" (the default) runs wherever there is SIMD, "wasm-relaxed" is faster where a host has
   * relaxed SIMD and cannot be compiled elsewhere. A bundle has one thread.
   */
  artefact?: 'wasm' | 'wasm-relaxed';
  /** The engine's .wasm file, when it is not the one beside this package. */
  wasm?: Source;
  /** The dimensions for which the first run is planned, by the names that the model gives them; 1 where none is given. */
  dimensions?: Readonly<Record<string, number>>;
  /** Files that the model refers to for its weights, by the path it uses. */
  externalData?: Readonly<Record<string, Source>>;
  limits?: Limits;
  /** Operators that the engine does not have; they are computed where the model runs, which is given them again. */
  operators?: readonly CustomOperator[];
  /** Skips graph optimisation when false. */
  optimize?: boolean;
  signal?: WebAbortSignal;
}

/**
 * The bytes of a WebAssembly module with the model inside, for `Session.fromBundle` or any host that calls the engine's C
 * interface: its exported global `nm_session` is the session. Inputs of other dimensions than those planned for work too.
 */
export function bundle(model: Source, options: BundleOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  return coded('Bundling the model failed', async () => {
    checkOptions('bundle', options, bundleRules);
    const { artefact = 'wasm', externalData = {}, signal } = options;
    throwIfAborted(signal);
    const file = options.wasm ?? ((await filesBeside.engine(artefact)) as URL);
    const wasm = await readSource('the engine', file, { signal });
    const instance = await instantiate(await loadModule({ wasm }, 1, signal), 1);
    const { engine } = instance;
    const files = await openModel(model, { externalData, signal });
    const session = await loadModel(engine, ...files, options, customOf(options.operators)?.declarations);
    plan(instance, session, options.dimensions ?? {});
    clearFree(engine);
    return snapshot(wasm, new Uint8Array(engine.exports.memory.buffer), { named: 'nm_session', value: session });
  });
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

const bundleRules: OptionRules = {
  artefact: ['"wasm" or "wasm-relaxed"', (value) => value === 'wasm' || value === 'wasm-relaxed'],
  dimensions: ['an object of numbers by name', isObject],
  externalData: ['an object of sources by path', isObject],
  limits: ['an object of numbers', isObject],
  operators: ['an array of custom operators', Array.isArray],
  optimize: ['true or false', (value) => typeof value === 'boolean'],
  signal: ['an AbortSignal', isObject],
  wasm: ['a URL, bytes or a Response', isSource],
};

/** Plans the first run, and no more: what a run computes would be bytes in the file. */
function plan(instance: Instance, session: number, dimensions: Readonly<Record<string, number>>): void {
  const { engine } = instance;
  const backend = new LocalBackend(instance, session);
  backend.take(zerosFor(backend.description.inputs, dimensions), true);
  engine.checkCount(engine.exports.nm_run_begin(session));
  backend.release('is a file now');
}

/** What the engine has given back is written over with zeros, which a file need not hold. */
function clearFree({ exports }: Engine): void {
  const { memory, nm_alloc, nm_free } = exports;
  const taken: number[] = [];
  for (let size = memory.buffer.byteLength / 8; size >= 64; ) {
    const before = memory.buffer.byteLength;
    const address = nm_alloc(size);
    if (address === 0 || memory.buffer.byteLength > before) {
      // What has grown the memory is zeros already.
      if (address !== 0) nm_free(address);
      size = Math.floor(size / 2);
      continue;
    }
    new Uint8Array(memory.buffer, address, size).fill(0);
    taken.push(address);
  }
  for (const address of taken) nm_free(address);
}
