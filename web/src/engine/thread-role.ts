// What a thread does: works on the shared memory until it is told to stop or is terminated. nm_worker_run
// (engine/wasm/worker_entry.S) returns when it has to stop.
import type { ParentPort } from '../host/host-worker.js';
import type { ThreadFunctions } from './c-abi.js';
import type { ThreadStart } from './threads.js';

export function isThreadStart(message: unknown): message is ThreadStart {
  return (message as ThreadStart | null)?.stackBytes !== undefined;
}

export function becomeThread({ module, memory, index, stack, stackBytes }: ThreadStart, parent: ParentPort): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, memory64: memory } });
  parent.postMessage('begun');
  (exports as unknown as ThreadFunctions).nm_worker_run(index, stack as number, stackBytes as number);
}
