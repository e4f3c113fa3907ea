// The script of a thread: sets itself up on the shared memory and works until it is terminated.
import { parentPort } from './host-worker.js';
import type { ThreadExports, ThreadStart } from './threads.js';

parentPort().onMessage((message) => {
  const { module, memory, index, stackTop, tlsBlock } = message as ThreadStart;
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const thread = exports as unknown as ThreadExports;
  thread.__stack_pointer.value = stackTop;
  thread.__wasm_init_tls(tlsBlock);
  thread.nm_worker_run(index);
});
