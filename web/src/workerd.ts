// For Cloudflare Workers, which allow no compiling: the engine is imported as a module, compiled beforehand.
import engine from './neuromancer-wasm-relaxed.wasm';
import { noWorkers } from './no-workers.js';
import { useFiles } from './own-files.js';

useFiles({ only: 'wasm-relaxed', engine: async () => engine, worker: noWorkers, thread: noWorkers });

export * from './api.js';
