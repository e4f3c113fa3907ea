// The script of a thread: works on the shared memory until it is told to stop or is terminated.
import { parentPort } from './host-worker.js';
import type { ThreadExports, ThreadStart } from './threads.js';

const parent = parentPort();
parent.onMessage((message) => {
  const { module, memory, index, stack, stackBytes } = message as ThreadStart;
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  parent.postMessage('begun');
  (exports as unknown as ThreadExports).nm_worker_run(index, stack, stackBytes);
});
