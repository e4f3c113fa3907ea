// The files that belong to this package's script, which every entry of the package has in another place.

import type { Custom } from '../api/custom.js';
import { NeuromancerError } from '../api/errors.js';
import type { Source } from '../download/fetch.js';
import type { Backend, LoadOptions } from '../engine/backend.js';
import type { Instance } from '../engine/engine.js';
import type { Artefact } from '../engine/loader.js';

export interface OwnFiles {
  /** The only build of the engine that there is, where there are not all of them. */
  readonly only?: Artefact;
  /** The engine, compiled or by its address. */
  engine(artefact: Artefact): URL | Promise<WebAssembly.Module>;
  /** Sessions in workers, of the entries for hosts that have any. */
  inWorkers?(source: Source, options: LoadOptions, workers: number, custom: Custom | undefined): Promise<Backend>;
  /** An instance of a threaded artefact, of the entries for hosts that have workers. */
  startThreads?(module: WebAssembly.Module, threads: number): Promise<Instance>;
}

let files: OwnFiles | undefined;

/** Said once, by the entry. */
export function useFiles(own: OwnFiles): void {
  files = own;
}

export function ownFiles(): OwnFiles {
  if (files !== undefined) return files;
  throw new NeuromancerError('internal', 'This entry of Neuromancer does not know its files.');
}
