// The package in one file, for hosts and builds where a second one is one too many: the engine of one thread and the
// worker's script are inside.
import engine from 'neuromancer:engine';
import worker from 'neuromancer:worker';
import { NeuromancerError } from './errors.js';
import { isNode } from './host.js';
import type { WorkerScript } from './host-worker.js';
import { inWorkers } from './in-workers.js';
import { noWorkers } from './no-workers.js';
import { useFiles } from './own-files.js';

let compiled: Promise<WebAssembly.Module> | undefined;

async function unpack(): Promise<WebAssembly.Module> {
  if (typeof DecompressionStream !== 'function') {
    throw new NeuromancerError(
      'engine_unavailable',
      'neuromancer/single needs DecompressionStream (Chrome 80, Firefox 113, Safari 16.4, Node 18 or later); import "neuromancer" here.',
    );
  }
  const packed = Uint8Array.from(atob(engine), (character) => character.charCodeAt(0));
  const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(bytes).arrayBuffer());
}

let address: URL | undefined;

const script: WorkerScript = {
  start: () => new Worker(script.url(), { type: 'module' }),
  url() {
    address ??= new URL(
      isNode
        ? `data:text/javascript,${encodeURIComponent(worker)}`
        : URL.createObjectURL(new Blob([worker], { type: 'text/javascript' })),
    );
    return address;
  },
};

useFiles({
  only: 'wasm',
  engine() {
    compiled ??= unpack().catch((error) => {
      compiled = undefined;
      throw error;
    });
    return compiled;
  },
  inWorkers,
  worker: script,
  thread: noWorkers,
});

export * from './api.js';
