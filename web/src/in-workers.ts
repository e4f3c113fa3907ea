import type { Backend, LoadOptions } from './backend.js';
import type { Source } from './fetch.js';
import { PoolBackend } from './pool.js';
import { RemoteBackend } from './remote.js';

/** A session in one worker or several. */
export function inWorkers(source: Source, options: LoadOptions, workers: number): Promise<Backend> {
  return workers === 1 ? RemoteBackend.load(source, options) : PoolBackend.load(source, options, workers);
}
