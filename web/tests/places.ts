import { existsSync } from 'node:fs';

/** Whether the package was built with that artefact. */
export const built = (artefact: string) => existsSync(new URL(`../dist/neuromancer-${artefact}.wasm`, import.meta.url));

/** Where a session may run; threads share their memory. */
export const places = [
  { name: 'in this thread', options: { artefact: 'wasm', threads: 1 } },
  { name: 'in this thread, with threads', options: { artefact: 'wasm-threads', threads: 2 } },
  { name: 'in a worker', options: { artefact: 'wasm', threads: 1, worker: true } },
  { name: 'in a worker, with threads', options: { artefact: 'wasm-threads', threads: 2, worker: true } },
] as const;
