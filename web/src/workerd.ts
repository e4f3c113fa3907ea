// For Cloudflare Workers, which allow no compiling: the engine is imported as a module, compiled beforehand.

import { useFiles } from './host/own-files.js';
import engine from './neuromancer-wasm-relaxed.wasm';
import { noWorkers } from './workers/no-workers.js';

useFiles({ only: 'wasm-relaxed', engine: async () => engine, worker: noWorkers, thread: noWorkers });

export * from './api.js';
