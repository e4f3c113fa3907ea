import { isNode, nodeModule } from './host.js';

/** A worker of either kind: Web Worker or worker_threads. */
export interface HostWorker {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /** The worker's messages, and what made it fail (a script that cannot be loaded, an uncaught error). */
  listen(onMessage: (message: unknown) => void, onFailure: (reason: string) => void): void;
  /** Whether the worker keeps the process alive, which matters in Node; at first it does not. */
  keepAlive(wanted: boolean): void;
  terminate(): void;
}

interface NodeWorker {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  on(event: string, listener: (value: unknown) => void): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** Starts a module worker; `web` must make it from a literal URL, which is what bundlers look for. */
export function startWorker(web: () => Worker, nodeScript: string): HostWorker {
  return isNode ? wrapNodeWorker(nodeScript) : wrapWebWorker(web());
}

function wrapNodeWorker(script: string): HostWorker {
  const threads = nodeModule<{ Worker: new (url: URL) => NodeWorker }>('node:worker_threads');
  const here = import.meta.url;
  const worker = new threads.Worker(new URL(script, here));
  worker.unref();
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onFailure) {
      worker.on('message', onMessage);
      worker.on('error', (error) => onFailure(String(error)));
    },
    keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

function wrapWebWorker(worker: Worker): HostWorker {
  return {
    postMessage: (message, transfer = []) => worker.postMessage(message, transfer),
    listen(onMessage, onFailure) {
      worker.addEventListener('message', (event) => onMessage(event.data));
      // A script that could not be fetched gives an event without a message.
      worker.addEventListener('error', (event) => onFailure(event.message ?? 'its script could not be loaded'));
      worker.addEventListener('messageerror', () => onFailure('a message could not be read'));
    },
    keepAlive: () => {},
    terminate: () => worker.terminate(),
  };
}

/** The other end: how a worker's own script talks to its parent. */
export interface ParentPort {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onMessage(listener: (message: unknown) => void): void;
}

export function parentPort(): ParentPort {
  if (isNode) {
    const { parentPort: port } = nodeModule<{ parentPort: NodeWorker }>('node:worker_threads');
    return {
      postMessage: (message, transfer) => port.postMessage(message, transfer),
      onMessage: (listener) => port.on('message', listener),
    };
  }
  const scope = globalThis as unknown as {
    postMessage(message: unknown, transfer: Transferable[]): void;
    addEventListener(event: 'message', listener: (event: MessageEvent) => void): void;
  };
  return {
    postMessage: (message, transfer = []) => scope.postMessage(message, transfer),
    onMessage: (listener) => scope.addEventListener('message', (event) => listener(event.data)),
  };
}
