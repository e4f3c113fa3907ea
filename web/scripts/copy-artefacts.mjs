// Copies the .wasm artefacts that CMake built into dist, beside the JavaScript, and says what is there.
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const build = new URL('../../build/', import.meta.url);
const dist = new URL('../dist/', import.meta.url);

await mkdir(dist, { recursive: true });
let found = 0;
for (const artefact of ['wasm', 'wasm-relaxed', 'wasm-threads', 'wasm-relaxed-threads']) {
  const source = new URL(`${artefact}/neuromancer.wasm`, build);
  const info = await stat(source).catch(() => null);
  if (info === null) {
    console.warn(`${artefact}: not built, ${fileURLToPath(source)} is missing`);
    continue;
  }
  await copyFile(source, new URL(`neuromancer-${artefact}.wasm`, dist));
  console.log(`${artefact}: ${info.size} bytes`);
  found += 1;
}
if (found === 0) console.warn('No artefact is built yet: run ./dev build first, then this again.');
