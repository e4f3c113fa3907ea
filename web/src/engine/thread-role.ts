// What a thread does: works on the shared memory until it is told to stop or is terminated.
import type { ParentPort } from '../host/host-worker.js';
import type { ThreadExports, ThreadStart } from './threads.js';

export function isThreadStart(message: unknown): message is ThreadStart {
  return typeof (message as ThreadStart | null)?.stackBytes === 'number';
}

export function becomeThread({ module, memory, index, stack, stackBytes }: ThreadStart, parent: ParentPort): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  parent.postMessage('begun');
  (exports as unknown as ThreadExports).nm_worker_run(index, stack, stackBytes);
}
