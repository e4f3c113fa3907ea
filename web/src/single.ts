// The package in one file, for hosts and builds where a second one is one too many: the engine of one thread and the
// worker's script are inside.
import engine from 'neuromancer:engine';
import worker from 'neuromancer:worker';
import { NeuromancerError } from './api/errors.js';
import { isNode } from './host/host.js';
import type { WorkerScript } from './host/host-worker.js';
import { useFiles } from './host/own-files.js';
import { inWorkers } from './workers/in-workers.js';
import { useWorkerScript } from './workers/worker-calls.js';

/** What is inside. */
function unpacked(base64: string): Response {
  if (typeof DecompressionStream !== 'function') {
    throw new NeuromancerError(
      'engine_unavailable',
      'neuromancer/single needs DecompressionStream (Chrome 80, Firefox 113, Safari 16.4, Node 18 or later); import "neuromancer" here.',
    );
  }
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')));
}

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await unpacked(engine).arrayBuffer());
}

let text = '';
let address: URL | undefined;

/** Started once the text is there. */
const script: WorkerScript = {
  start: () => new Worker(script.url(), { type: 'module' }),
  url() {
    // A page without an origin (of a file, in a sandbox) may not read a blob's address as a module.
    address ??= new URL(
      isNode || origin === 'null'
        ? `data:text/javascript,${encodeURIComponent(text)}`
        : URL.createObjectURL(new Blob([text], { type: 'text/javascript' })),
    );
    return address;
  },
};

useWorkerScript(script);
useFiles({
  only: 'wasm',
  engine() {
    compiled ??= compile().catch((error) => {
      compiled = undefined;
      throw error;
    });
    return compiled;
  },
  async inWorkers(source, options, workers, custom) {
    text ||= await unpacked(worker).text();
    return inWorkers(source, options, workers, custom);
  },
});

export * from './api.js';
