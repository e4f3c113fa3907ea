// The engine's files beside this package's script. Bundlers find them by a literal form, copy them, and put the final
// address here: `new URL('./file', import.meta.url)`.

import type { Artefact } from './engine/loader.js';
import { besideThisScript } from './host/location.js';
import type { OwnFiles } from './host/own-files.js';

const engines: Record<Artefact, () => URL> = {
  wasm: () => new URL('./neuromancer-wasm.wasm', import.meta.url),
  'wasm-relaxed': () => new URL('./neuromancer-wasm-relaxed.wasm', import.meta.url),
  'wasm-threads': () => new URL('./neuromancer-wasm-threads.wasm', import.meta.url),
  'wasm-relaxed-threads': () => new URL('./neuromancer-wasm-relaxed-threads.wasm', import.meta.url),
  wasm64: () => new URL('./neuromancer-wasm64.wasm', import.meta.url),
};

export const filesBeside: OwnFiles = {
  engine: (artefact) => besideThisScript(`neuromancer-${artefact}.wasm`, engines[artefact]),
};
