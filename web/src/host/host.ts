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
  navigator?: { hardwareConcurrency?: number; userAgent?: string };
};

/**
 * True in Node, Bun and Deno's Node layer: there are files and worker_threads. Cloudflare's runtime has a process object
 * that says the same, and neither.
 */
export const isNode =
  process?.versions?.node !== undefined &&
  typeof process.getBuiltinModule === 'function' &&
  navigator?.userAgent !== 'Cloudflare-Workers';

/** Whether there are workers at all: shared and service workers, worklets and edge isolates cannot start any. */
export const hasWorkers = isNode || typeof Worker === 'function';

/** One of Node's own modules; only where `isNode`. */
export function nodeModule<Module>(name: string): Module {
  return (process as NodeProcess).getBuiltinModule(name) as Module;
}

/**
 * A file's size, and its bytes in pieces, each of them valid until the next is asked for. Not by a stream: Node loads those when they are first asked for, which takes as
 * long as compiling a third of the engine.
 */
export async function fileStream(url: URL): Promise<{ total: number; pieces: AsyncIterable<Uint8Array> }> {
  interface File {
    read(into: Uint8Array): Promise<{ bytesRead: number }>;
    close(): Promise<void>;
  }
  interface Files {
    stat(path: URL): Promise<{ size: number; isFile(): boolean }>;
    open(path: URL): Promise<File>;
  }
  const { promises: files } = nodeModule<{ promises: Files }>('node:fs');
  const info = await files.stat(url);
  // A pipe or a device may give bytes for ever, or none.
  if (!info.isFile()) throw new Error('it is not a regular file');
  // Opened when it is read, so that nothing stays open when it is not.
  async function* pieces() {
    const file = await files.open(url);
    try {
      const piece = new Uint8Array(1 << 20);
      for (;;) {
        const { bytesRead } = await file.read(piece);
        if (bytesRead === 0) return;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
  return { total: info.size, pieces: pieces() };
}

export function processorCount(): number {
  if (isNode) return nodeModule<{ availableParallelism(): number }>('node:os').availableParallelism();
  return Math.max(1, navigator?.hardwareConcurrency ?? 1);
}

/** The base of relative URLs: the page or worker, or the working directory in Node. */
export function baseUrl(): string | undefined {
  if (location !== undefined) return location.href;
  return isNode ? `${fileUrl((process as NodeProcess).cwd()).href}/` : undefined;
}

function fileUrl(path: string): URL {
  return nodeModule<{ pathToFileURL(path: string): URL }>('node:url').pathToFileURL(path);
}

/** The file in this package as it is installed for the program that runs; only where `isNode`. */
export function installedFile(name: string): URL {
  const { createRequire } = nodeModule<{ createRequire(from: string): { resolve(id: string): string } }>('node:module');
  return fileUrl(createRequire(baseUrl() as string).resolve(`neuromancer/${name}`));
}

/** Milliseconds; audio worklets have no finer clock. */
export const now: () => number = typeof performance === 'object' ? () => performance.now() : () => Date.now();

/** Lets other tasks of this thread run (messages, input, paint) before the next piece of work. */
export function nextTask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => void };
  if (setImmediate !== undefined) return new Promise((resolve) => setImmediate(resolve));
  if (typeof MessageChannel !== 'function') return Promise.resolve();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** What `Object.prototype.toString` calls a value: the same for objects of other realms (frames, vm contexts). */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

export function isModule(value: unknown): value is WebAssembly.Module {
  return kindOf(value) === 'WebAssembly.Module';
}
