// For Cloudflare Workers, which allow no compiling: the engine is imported as a module, compiled beforehand.

import { useFiles } from './host/own-files.js';
import engine from './neuromancer-wasm-relaxed.wasm';

useFiles({ only: 'wasm-relaxed', engine: async () => engine });

export * from './api.js';
