// What differs between a page, a worker and Node. Node's modules are reached through the process object, so that
// bundlers for the web find no import of them.

interface NodeProcess {
  versions?: { node?: string };
  getBuiltinModule?(name: string): unknown;
}

const nodeProcess = (globalThis as { process?: NodeProcess }).process;

/** True in Node, Bun and Deno's Node layer: there are files and worker_threads. */
export const isNode = nodeProcess?.versions?.node !== undefined && typeof nodeProcess.getBuiltinModule === 'function';

/** True on a page's main thread, where waiting on an atomic is forbidden. */
export const isPage = typeof (globalThis as { document?: unknown }).document === 'object';

interface FileSystem {
  readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}

export async function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return (nodeProcess?.getBuiltinModule?.('node:fs/promises') as FileSystem).readFile(url);
}

/** The base of relative URLs: the page or worker, or the working directory in Node. */
export function baseUrl(): string | undefined {
  const location = (globalThis as { location?: { href: string } }).location;
  if (location !== undefined) return location.href;
  if (!isNode) return undefined;
  const path = nodeProcess?.getBuiltinModule?.('node:url') as { pathToFileURL(path: string): URL };
  const cwd = (nodeProcess as unknown as { cwd(): string }).cwd();
  return `${path.pathToFileURL(cwd).href}/`;
}

/** A worker of either kind: Web Worker or worker_threads. */
export interface HostWorker {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /** The worker's messages, and what made it fail (a script that cannot be loaded, an uncaught error). */
  listen(onMessage: (message: unknown) => void, onFailure: (reason: string) => void): void;
  terminate(): void;
}

interface NodeWorker {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  on(event: string, listener: (value: unknown) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** Starts a module worker; `web` must make it from a literal URL, which is what bundlers look for. */
export function startWorker(web: () => Worker, nodeScript: string): HostWorker {
  return isNode ? wrapNodeWorker(nodeScript) : wrapWebWorker(web());
}

function wrapNodeWorker(script: string): HostWorker {
  const threads = nodeProcess?.getBuiltinModule?.('node:worker_threads') as { Worker: new (url: URL) => NodeWorker };
  const here = import.meta.url;
  const worker = new threads.Worker(new URL(script, here));
  worker.unref(); // An idle session must not keep the process alive.
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onFailure) {
      worker.on('message', onMessage);
      worker.on('error', (error) => onFailure(String(error)));
    },
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
    const { parentPort: port } = nodeProcess?.getBuiltinModule?.('node:worker_threads') as { parentPort: NodeWorker };
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

/** Lets other tasks of this thread run (messages, input, paint) before the next piece of work. */
export function nextTask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => void };
  if (setImmediate !== undefined) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
