import { NeuromancerError } from '../api/errors.js';
import type { WorkerScript } from '../host/host-worker.js';

/** Stands where this package's scripts for workers are not to be had. */
export const noWorkers: WorkerScript = { start: refuse, url: refuse };

function refuse(): never {
  throw new NeuromancerError('engine_unavailable', 'There are no workers here; load without the option "worker".');
}
