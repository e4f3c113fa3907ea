// What differs between a page, a worker and Node. Node's modules are reached through the process object, so that
// bundlers for the web find no import of them.

interface NodeProcess {
  versions?: { node?: string };
  cwd(): string;
  getBuiltinModule(name: string): unknown;
}

const { process, location, navigator } = globalThis as {
  process?: NodeProcess;
  location?: { href: string };
  navigator?: { hardwareConcurrency?: number };
};

/** True in Node, Bun and Deno's Node layer: there are files and worker_threads. */
export const isNode = process?.versions?.node !== undefined && typeof process.getBuiltinModule === 'function';

/** One of Node's own modules; only where `isNode`. */
export function nodeModule<Module>(name: string): Module {
  return (process as NodeProcess).getBuiltinModule(name) as Module;
}

export function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  type Files = { readFile(path: URL): Promise<Uint8Array<ArrayBuffer>> };
  return nodeModule<Files>('node:fs/promises').readFile(url);
}

export function processorCount(): number {
  if (isNode) return nodeModule<{ availableParallelism(): number }>('node:os').availableParallelism();
  return Math.max(1, navigator?.hardwareConcurrency ?? 1);
}

/** The base of relative URLs: the page or worker, or the working directory in Node. */
export function baseUrl(): string | undefined {
  if (location !== undefined) return location.href;
  if (!isNode) return undefined;
  const { pathToFileURL } = nodeModule<{ pathToFileURL(path: string): URL }>('node:url');
  return `${pathToFileURL((process as NodeProcess).cwd()).href}/`;
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
