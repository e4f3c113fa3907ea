// The files of the package beside its script. Bundlers find them by literal forms, copy them, and put the final address
// here: `new URL('./file', import.meta.url)`, and the same inside `new Worker(…)`.

import type { Artefact } from './engine/loader.js';
import type { WorkerScript } from './host/host-worker.js';
import { besideThisScript, wasMoved } from './host/location.js';
import type { OwnFiles } from './host/own-files.js';

const engines: Record<Artefact, () => URL> = {
  wasm: () => new URL('./neuromancer-wasm.wasm', import.meta.url),
  'wasm-relaxed': () => new URL('./neuromancer-wasm-relaxed.wasm', import.meta.url),
  'wasm-threads': () => new URL('./neuromancer-wasm-threads.wasm', import.meta.url),
  'wasm-relaxed-threads': () => new URL('./neuromancer-wasm-relaxed-threads.wasm', import.meta.url),
};

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

export const filesBeside: OwnFiles = {
  engine: (artefact) => besideThisScript(`neuromancer-${artefact}.wasm`, engines[artefact]),
  worker,
  thread,
};
