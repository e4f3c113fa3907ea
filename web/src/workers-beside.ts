// What only hosts with workers need: sessions in workers, threads, and the scripts of both, which bundlers find inside
// `new Worker(…)`. index.js loads it when the first session asks for one of them; service workers and worklets, which may
// not load anything later, have no workers either.

import { useThreadScript } from './engine/threads.js';
import type { WorkerScript } from './host/host-worker.js';
import { besideThisScript, wasMoved } from './host/location.js';
import { useWorkerScript } from './workers/worker-calls.js';

const worker: WorkerScript = {
  start: () =>
    wasMoved(new URL('./worker.js', import.meta.url))
      ? new Worker(worker.url(), { type: 'module' })
      : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  url: () => besideThisScript('worker.js', () => new URL('./worker.js', import.meta.url)),
};

const thread: WorkerScript = {
  start: () =>
    wasMoved(new URL('./thread.js', import.meta.url))
      ? new Worker(thread.url(), { type: 'module' })
      : new Worker(new URL('./thread.js', import.meta.url), { type: 'module' }),
  url: () => besideThisScript('thread.js', () => new URL('./thread.js', import.meta.url)),
};

useWorkerScript(worker);
useThreadScript(thread);

export { startThreads } from './engine/threads.js';
export { inWorkers } from './workers/in-workers.js';
