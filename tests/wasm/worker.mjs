// A worker as any host would write it: a second instance on the same memory that stays in nm_worker_run.
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, index, stack, stackBytes } = workerData;
const { exports } = await WebAssembly.instantiate(module, { env: { memory, memory64: memory } });
parentPort.postMessage({ left: exports.nm_worker_run(index, stack, stackBytes) });
