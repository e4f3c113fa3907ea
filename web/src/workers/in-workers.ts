import type { Custom } from '../api/custom.js';
import type { Source } from '../download/fetch.js';
import type { Backend, LoadOptions } from '../engine/backend.js';
import { PoolBackend } from './pool.js';
import { RemoteBackend } from './remote.js';

/** A session in one worker or several. */
export function inWorkers(
  source: Source,
  options: LoadOptions,
  workers: number,
  custom: Custom | undefined,
): Promise<Backend> {
  return workers === 1
    ? RemoteBackend.load(source, options, custom)
    : PoolBackend.load(source, options, workers, custom);
}
