// Builds dist/: every entry one minified file that needs no other script at its start, with a source map of the sources in
// src/; declarations; the .wasm artefacts that CMake built.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const build = new URL('../../build/', import.meta.url);
const src = new URL('../src/', import.meta.url);
const dist = new URL('../dist/', import.meta.url);
const artefacts = ['wasm', 'wasm-relaxed', 'wasm-threads', 'wasm-relaxed-threads', 'wasm64'];

/** The modules that src/inside.d.ts declares. */
const inside = {
  'neuromancer:engine': async () => packed(await artefact('wasm')),
  'neuromancer:worker': async () => packed(withoutMap(await readFile(new URL('worker.js', dist), 'utf8'))),
};

/**
 * Files of dist/ that an entry takes as they lie beside it. What ort.js registers must be registered once; the command
 * line needs no copies of what it calls.
 */
const beside = /^\.\/(ort|bundle|pack)\.js$|\.wasm$/;

const packed = (bytes) => gzipSync(bytes, { level: 9 }).toString('base64');

const plugin = {
  name: 'inside',
  resolveId: (id) => (id in inside ? id : beside.test(id) ? { id, external: 'absolute' } : null),
  load: async (id) => (id in inside ? `export default ${JSON.stringify(await inside[id]())};` : null),
};

const withoutMap = (text) => text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');

async function artefact(name) {
  return readFile(new URL(`${name}/neuromancer.wasm`, build));
}

/**
 * `splits`: what the entry imports later is a file of its own, which takes what both need from the entry. Not one that
 * both are made of: an entry is one download.
 */
async function bundle(entry, { splits = false } = {}) {
  const bundled = await rolldown({
    input: fileURLToPath(new URL(`${entry}.ts`, src)),
    plugins: [plugin],
    // Its classes are to be the same as those of whoever else uses it.
    external: ['onnxruntime-common', /^node:/],
    // `new URL('./file', import.meta.url)` is for the bundlers of those who use the package.
    experimental: { resolveNewUrlToAsset: false },
    preserveEntrySignatures: 'allow-extension',
    // What package.json says of side effects is about dist/. Of the sources that an entry imports, this one has some.
    treeshake: { moduleSideEffects: [{ test: /\/workers-beside\.ts$/, sideEffects: true }] },
  });
  const { output } = await bundled.generate({
    ...(splits ? { dir: 'dist', entryFileNames: '[name].js', chunkFileNames: '[name].js' } : { file: `${entry}.js` }),
    format: 'esm',
    minify: {
      mangle: { keepNames: { class: true, function: false } },
      compress: { keepNames: { class: true, function: false } },
    },
    sourcemap: true,
    codeSplitting: splits,
  });
  await bundled.close();
  for (const { type, fileName, code, map } of output) if (type === 'chunk') await write(fileName, code, map);
}

async function write(file, minified, map) {
  // The minifier writes every text between backticks, where some bundlers do not look for addresses. As long as
  // before, so that the map still holds.
  const code = minified
    .replace(/new URL\(`([^`$]*)`,import\.meta\.url\)/g, 'new URL("$1",import.meta.url)')
    .replace(/import\(`([^`$]*)`\)/g, 'import("$1")')
    .replace(/\{type:`module`\}/g, '{type:"module"}');
  await writeFile(new URL(file, dist), code);
  // The sources are in the package once, not in the map of every entry that has them.
  const { sourcesContent: _, ...names } = map;
  const sources = map.sources.map((source) => (source.startsWith('src/') ? `../${source}` : source));
  await writeFile(new URL(`${file}.map`, dist), JSON.stringify({ ...names, sources }));
  console.log(`${file}: ${code.length} bytes, ${gzipSync(code).length} with gzip`);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const found = [];
for (const name of artefacts) {
  const source = new URL(`${name}/neuromancer.wasm`, build);
  const info = await stat(source).catch(() => null);
  if (info === null) {
    console.warn(`${name}: not built, ${fileURLToPath(source)} is missing`);
    continue;
  }
  await copyFile(source, new URL(`neuromancer-${name}.wasm`, dist));
  console.log(`${name}: ${info.size} bytes`);
  found.push(name);
}
const entries = [
  'index',
  'worker',
  'thread',
  'workerd',
  'bundled',
  'bundle',
  'pack',
  'cli',
  'stream',
  'generate',
  'image',
  'decode',
  'audio',
  'download',
  'compare',
  'ort',
  'transformers',
];
for (const entry of entries) await bundle(entry, { splits: entry === 'index' });
if (found.includes('wasm')) await bundle('single');
else
  console.warn(
    'single.js has the artefact "wasm" inside, which is not built yet: run ./dev build first, then this again.',
  );
await copyFile(new URL('engine-file.d.ts', src), new URL('engine-file.d.ts', dist));
execFileSync('tsc', ['-p', fileURLToPath(new URL('../tsconfig.build.json', import.meta.url))], { stdio: 'inherit' });
