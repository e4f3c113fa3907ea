// What an import of one of the package's .wasm files gives: a compiled module in Cloudflare Workers, an address in most
// bundlers. The option "wasm" takes either.
import type { EngineOptions } from './engine/loader.js';

declare const engine: NonNullable<EngineOptions['wasm']>;
export default engine;
