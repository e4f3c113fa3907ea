import { asNeuromancerError, NeuromancerError } from '../api/errors.js';
import { hasWorkers, isNode, nodeModule } from './host.js';

/** A worker of either kind: Web Worker or worker_threads. */
export interface HostWorker {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /** The worker's messages, and why it ended (a script that cannot be loaded, an uncaught error, an exit). */
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

/** A script that runs as a worker, said twice: bundlers look for these literal forms, and copy the file for each. */
export interface WorkerScript {
  /** `new Worker(new URL('./script.js', import.meta.url), { type: 'module' })` */
  start(): Worker;
  /** `new URL('./script.js', import.meta.url)` */
  url(): URL;
}

/** Starts a worker, or throws the reason why this host cannot. */
export function startWorker(script: WorkerScript): HostWorker {
  if (!hasWorkers) {
    throw new NeuromancerError('engine_unavailable', 'This host has no workers; load without the option "worker".');
  }
  try {
    return isNode ? wrapNodeWorker(script.url()) : wrapWebWorker(startWebWorker(script));
  } catch (error) {
    throw asNeuromancerError(
      error,
      'engine_unavailable',
      'A worker could not be started (a Content-Security-Policy must allow it in worker-src, and the name "neuromancer" in trusted-types)',
    );
  }
}

function startWebWorker(script: WorkerScript): Worker {
  try {
    const { origin } = script.url();
    // Firefox says so only later, by an event.
    if (/^http/.test(origin) && origin !== location.origin) throw new DOMException('of another site', 'SecurityError');
    return script.start();
  } catch (error) {
    const url = workerUrl(script, error);
    if (error instanceof TypeError) return new Worker(trusted(url.href), { type: 'module' });
    // A script of another site must not be a worker, but a worker of this site may import it.
    return new Worker(trusted(URL.createObjectURL(new Blob([importing(url)], { type: 'text/javascript' }))), {
      type: 'module',
    });
  }
}

/**
 * A worker's script that imports another. In an isolated page WebKit refuses a static import from another site, so it
 * is a dynamic one, and messages that come before it is loaded are held.
 */
function importing(url: URL): string {
  return [
    `const held=[],hold=({data})=>held.push(data);addEventListener('message',hold);import(${JSON.stringify(url.href)}).then(`,
    `()=>{removeEventListener('message',hold);for(const data of held)dispatchEvent(new MessageEvent('message',{data}))},`,
    '(error)=>setTimeout(()=>{throw error}))',
  ].join('');
}

interface ScriptPolicy {
  createScriptURL(url: string): string;
}

let policy: ScriptPolicy | undefined;

/** The address as a page takes it whose Content-Security-Policy requires Trusted Types. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as unknown as {
    trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };
  };
  if (trustedTypes === undefined) return url;
  policy ??= trustedTypes.createPolicy('neuromancer', { createScriptURL: (same) => same });
  return policy.createScriptURL(url);
}

/** The script's address; without one, the reason why it could not be started is all there is to say. */
function workerUrl(script: WorkerScript, reason: unknown): URL {
  try {
    return script.url();
  } catch {
    throw reason;
  }
}

function wrapNodeWorker(script: URL): HostWorker {
  const threads = nodeModule<{ Worker: new (url: URL) => NodeWorker }>('node:worker_threads');
  const worker = new threads.Worker(script);
  worker.unref();
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onFailure) {
      worker.on('message', onMessage);
      worker.on('messageerror', () => onFailure('a message could not be read'));
      worker.on('error', (error) => onFailure(String(error)));
      worker.on('exit', (code) => onFailure(`it ended with exit code ${code}`));
      // Listening makes some hosts wait for messages.
      worker.unref();
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
      worker.addEventListener('error', (event) => {
        // Said here as the reason of a rejection, so not once more on the console.
        event.preventDefault();
        // A script that could not be fetched gives an event without a message.
        onFailure(event.message ?? 'its script could not be loaded');
      });
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
