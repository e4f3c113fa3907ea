// Bundlers, each in its current major.
import { alone, aloneInWorker, type Cell, isolated } from './cell.ts';
import { isolation } from './server.ts';

/** A bundler that puts everything into dist/. */
const bundled = { kind: 'page', root: 'dist', page: 'index.html', headers: isolation } as const;
const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>';
const copyData = 'cp digit.json handwriting.onnx dist';

function viteCell(version: string, gate: boolean): Cell {
  return {
    ...bundled,
    name: `Vite ${version.split('.')[0]}, build`,
    gate,
    ...(gate ? {} : { install: { vite: version } }),
    files: ['page.js'],
    write: { 'index.html': html.replace('main.js', 'page.js') },
    build: ['vite build --logLevel warn', copyData],
    expected: isolated,
  };
}

function viteDevCell(version: string): Cell {
  return {
    kind: 'page',
    name: `Vite ${version.split('.')[0]}, dev server`,
    install: { vite: version },
    files: ['page.js'],
    write: {
      'index.html': html.replace('main.js', 'page.js'),
      'vite.config.js': `export default { server: { headers: ${JSON.stringify(isolation)} } };`,
    },
    root: '.',
    page: '',
    server: 'vite --host 127.0.0.1 --port 0',
    expected: isolated,
  };
}

/** An application of onnxruntime-web, which the bundler gives this package instead. */
const byOrt = {
  ...bundled,
  files: ['by-ort.js'],
  write: { 'index.html': html.replace('main.js', 'by-ort.js') },
  expected: { plain: {} },
} as const;
const alias = "{ find: /^onnxruntime-(web|node)(\\/.*)?$/, replacement: 'neuromancer/ort' }";

export const bundlers: Cell[] = [
  {
    ...byOrt,
    name: 'Vite 8, onnxruntime-web by an alias',
    install: { vite: '8.3.8' },
    write: { ...byOrt.write, 'vite.config.js': `export default { resolve: { alias: [${alias}] } };` },
    build: ['vite build --logLevel warn', copyData],
  },
  {
    ...byOrt,
    name: 'webpack, onnxruntime-web by an alias',
    install: { webpack: '5.113.0', 'webpack-cli': '7.3.1' },
    write: {
      'dist/index.html': html,
      'webpack.config.js': "export default { resolve: { alias: { 'onnxruntime-web$': 'neuromancer/ort' } } };",
    },
    build: ['webpack --mode production --entry ./by-ort.js', copyData],
  },
  viteCell('8.3.8', true),
  viteCell('7.3.8', false),
  viteCell('6.4.6', false),
  viteDevCell('8.3.8'),
  viteDevCell('7.3.8'),
  viteDevCell('6.4.6'),
  {
    ...bundled,
    name: 'webpack',
    install: { webpack: '5.113.0', 'webpack-cli': '7.3.1' },
    files: ['page.js'],
    write: { 'dist/index.html': html },
    build: ['webpack --mode production --entry ./page.js', copyData],
    expected: isolated,
  },
  {
    ...bundled,
    name: 'Rspack',
    install: { '@rspack/core': '2.3.3', '@rspack/cli': '2.2.8' },
    files: ['page.js'],
    write: { 'dist/index.html': html },
    build: ['rspack build --mode production --entry ./page.js', copyData],
    expected: isolated,
  },
  {
    ...bundled,
    name: 'Parcel',
    install: { parcel: '2.16.4' },
    files: ['page.js'],
    write: { 'index.html': html.replace('main.js', 'page.js') },
    build: ['parcel build --no-cache --public-url ./ index.html', copyData],
    expected: isolated,
  },
  {
    ...bundled,
    name: 'Rollup, single file',
    install: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3' },
    as: 'neuromancer/single',
    files: ['page.js'],
    write: { 'dist/index.html': html },
    build: ['rollup -p node-resolve -i page.js -f es -o dist/main.js', copyData],
    expected: { plain: alone, one: alone, worker: aloneInWorker },
  },
  {
    ...bundled,
    name: 'Rollup, files copied beside the bundle',
    install: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3' },
    files: ['page.js'],
    write: { 'dist/index.html': html },
    build: [
      'rollup -p node-resolve -i page.js -f es -o dist/main.js --inlineDynamicImports',
      copyData,
      'cp node_modules/neuromancer/dist/*.wasm node_modules/neuromancer/dist/worker.js node_modules/neuromancer/dist/thread.js dist',
    ],
    expected: isolated,
  },
  {
    ...bundled,
    name: 'esbuild, single file',
    install: { esbuild: '0.28.2' },
    as: 'neuromancer/single',
    files: ['page.js'],
    write: { 'dist/index.html': html },
    build: ['esbuild page.js --bundle --format=esm --outfile=dist/main.js --log-level=error', copyData],
    expected: { plain: alone, one: alone, worker: aloneInWorker },
  },
  {
    ...bundled,
    name: 'esbuild, files copied beside the bundle',
    install: { esbuild: '0.28.2' },
    files: ['page.js'],
    write: { 'dist/index.html': html },
    build: [
      'esbuild page.js --bundle --format=esm --outfile=dist/main.js --log-level=error',
      copyData,
      'cp node_modules/neuromancer/dist/*.wasm node_modules/neuromancer/dist/worker.js node_modules/neuromancer/dist/thread.js dist',
    ],
    expected: isolated,
  },
  {
    ...bundled,
    name: 'esbuild, nothing copied: the advice',
    install: { esbuild: '0.28.2' },
    files: ['page.js'],
    write: { 'dist/index.html': html },
    build: ['esbuild page.js --bundle --format=esm --outfile=dist/main.js --log-level=error', copyData],
    expected: { plain: { code: 'engine_unavailable', message: 'neuromancer/single' } },
  },
];
