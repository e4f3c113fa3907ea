// The matrix: where the package has to start, with which tool, under which headers, and what must come of it.
import { type Headers, isolation } from './server.ts';

/** What a mode must give beside the right digit: threads or a worker; or the code of its error. */
export interface Expected {
  readonly threads?: number;
  readonly worker?: boolean;
  readonly code?: string;
  readonly message?: string;
}

interface Common {
  readonly name: string;
  /** In the gate; the others run by ./dev test --web. */
  readonly gate?: boolean;
  /** Packages of the registry beside the tarball. */
  readonly install?: Readonly<Record<string, string>>;
  /** Files of app/, by the name they get; `as` is put in the place of 'neuromancer' where they import it. */
  readonly files: readonly string[];
  readonly as?: string;
  /** Files of their own. */
  readonly write?: Readonly<Record<string, string>>;
  /** Shell commands in the project's folder. */
  readonly build?: readonly string[];
  readonly expected: Readonly<Record<string, Expected>>;
}

export interface PageCell extends Common {
  readonly kind: 'page';
  /** The folder that is served. */
  readonly root: string;
  readonly page: string;
  readonly headers?: Headers;
  /** A command that serves the folder instead, and prints its address. */
  readonly server?: string;
  /** Serves node_modules/neuromancer/dist on another site, and puts its address in the place of CDN in these files. */
  readonly elsewhere?: readonly string[];
}

export interface ProcessCell extends Common {
  readonly kind: 'process';
  readonly command: string;
}

export type Cell = PageCell | ProcessCell;

const threaded = { threads: 2, worker: false };
const alone = { threads: 1, worker: false };
const inWorker = { threads: 2, worker: true };
const aloneInWorker = { threads: 1, worker: true };
const isolated = { plain: threaded, one: alone, worker: inWorker };
const notIsolated = { plain: alone, one: alone, worker: aloneInWorker };

/** The package's files served as they are, beside the page. */
const plain = {
  kind: 'page',
  as: './neuromancer/index.js',
  build: ['cp -r node_modules/neuromancer/dist neuromancer'],
  root: '.',
} as const;

const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

const plainCells: Cell[] = [
  {
    ...plain,
    name: 'page',
    gate: true,
    files: ['page.html', 'page.js'],
    page: 'page.html',
    headers: isolation,
    expected: isolated,
  },
  {
    ...plain,
    name: 'page, not isolated',
    gate: true,
    files: ['page.html', 'page.js'],
    page: 'page.html',
    expected: notIsolated,
  },
  {
    ...plain,
    name: 'page under a Content-Security-Policy',
    gate: true,
    files: ['page.html', 'page.js'],
    page: 'page.html',
    headers: { ...isolation, 'Content-Security-Policy': `${policy}; img-src data:` },
    expected: isolated,
  },
  {
    ...plain,
    name: 'page that requires Trusted Types',
    gate: true,
    files: ['page.html', 'page.js'],
    page: 'page.html',
    headers: {
      ...isolation,
      'Content-Security-Policy': "require-trusted-types-for 'script'; trusted-types neuromancer",
    },
    expected: isolated,
  },
  {
    ...plain,
    name: 'page that allows no Trusted Types',
    files: ['page.html', 'page.js'],
    page: 'page.html',
    headers: { ...isolation, 'Content-Security-Policy': "require-trusted-types-for 'script'; trusted-types 'none'" },
    expected: { plain: alone, one: alone, worker: { code: 'engine_unavailable' } },
  },
  {
    ...plain,
    name: 'page without thread.js and worker.js',
    gate: true,
    files: ['page.html', 'page.js'],
    build: [...plain.build, 'rm neuromancer/thread.js neuromancer/worker.js'],
    page: 'page.html',
    headers: isolation,
    expected: { plain: alone, one: alone, worker: { code: 'engine_unavailable', message: 'worker.js' } },
  },
  {
    ...plain,
    name: 'page without the engine',
    files: ['page.html', 'page.js'],
    build: [...plain.build, 'rm neuromancer/*.wasm'],
    page: 'page.html',
    expected: {
      plain: { code: 'engine_unavailable', message: 'answered 404' },
      worker: { code: 'engine_unavailable', message: 'answered 404' },
    },
  },
  {
    ...plain,
    name: 'package on another site',
    gate: true,
    as: 'CDN/index.js',
    files: ['page.html', 'page.js'],
    build: [],
    page: 'page.html',
    headers: isolation,
    elsewhere: ['classify.js'],
    expected: isolated,
  },
  {
    ...plain,
    name: 'single file',
    gate: true,
    as: './neuromancer/single.js',
    files: ['page.html', 'page.js'],
    build: ['mkdir neuromancer', 'cp node_modules/neuromancer/dist/single.js neuromancer'],
    page: 'page.html',
    headers: isolation,
    expected: { plain: alone, one: alone, worker: aloneInWorker },
  },
  {
    ...plain,
    name: 'page of onnxruntime-web, by an import map',
    gate: true,
    files: ['by-ort.js'],
    write: {
      'index.html': `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({
        imports: {
          'onnxruntime-web': './neuromancer/ort.js',
          'onnxruntime-common': './onnxruntime-common/index.js',
        },
      })}</script><script type="module" src="by-ort.js"></script>`,
    },
    build: [...plain.build, 'cp -rL node_modules/onnxruntime-common/dist/esm onnxruntime-common'],
    page: 'index.html',
    headers: isolation,
    expected: { plain: {} },
  },
  ...['dedicated', 'shared', 'service'].map(
    (kind): Cell => ({
      ...plain,
      name: `${kind} worker`,
      gate: true,
      files: ['in-worker.js', 'asks-worker.js'],
      write: {
        'index.html':
          '<!doctype html><link rel="icon" href="data:,"><script type="module" src="asks-worker.js"></script>',
      },
      page: `index.html?kind=${kind}`,
      headers: isolation,
      // Only a dedicated worker may start others; elsewhere the session runs where it is asked for.
      expected: kind === 'dedicated' ? isolated : { plain: alone, one: alone, worker: alone },
    }),
  ),
  {
    ...plain,
    name: 'audio worklet',
    files: ['worklet.js', 'asks-worklet.js'],
    write: {
      'index.html':
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="asks-worklet.js"></script>',
    },
    page: 'index.html',
    expected: { plain: alone },
  },
];

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

const bundlerCells: Cell[] = [
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
      'rollup -p node-resolve -i page.js -f es -o dist/main.js',
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

const script = { kind: 'process', files: ['process.js'], expected: isolated } as const;

const processCells: Cell[] = [
  { ...script, name: 'Node, ES module', gate: true, command: 'node process.js' },
  {
    kind: 'process',
    name: 'Node, CommonJS',
    gate: true,
    files: ['process.cjs'],
    command: 'node process.cjs',
    expected: { plain: threaded },
  },
  {
    ...script,
    name: 'Node, CommonJS bundle of esbuild',
    install: { esbuild: '0.28.2' },
    as: 'neuromancer/single',
    files: ['process.cjs'],
    build: ['esbuild process.cjs --bundle --platform=node --outfile=main.cjs --log-level=error'],
    command: 'node main.cjs',
    expected: { plain: alone },
  },
  {
    ...script,
    name: 'Bun',
    install: { '@oven/bun-linux-x64': '1.4.5' },
    command: 'node_modules/@oven/bun-linux-x64/bin/bun process.js',
  },
  {
    ...script,
    name: 'Bun, nothing released',
    install: { '@oven/bun-linux-x64': '1.4.5' },
    files: ['idle.js'],
    command: 'node_modules/@oven/bun-linux-x64/bin/bun idle.js',
  },
  { ...script, name: 'Node, nothing released', gate: true, files: ['idle.js'], command: 'node idle.js' },
  {
    ...script,
    name: 'Deno',
    install: { '@deno/linux-x64-glibc': '2.9.6' },
    command: 'node_modules/@deno/linux-x64-glibc/deno run --allow-all process.js',
  },
  {
    kind: 'process',
    name: 'workerd',
    install: { '@cloudflare/workerd-linux-64': '1.20261117.1', esbuild: '0.28.2' },
    files: ['edge.js', 'isolate.mjs'],
    write: {
      'isolate.capnp': `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "main.js", esModule = embed "main.js"),
      (name = "neuromancer-wasm-relaxed.wasm", wasm = embed "node_modules/neuromancer/dist/neuromancer-wasm-relaxed.wasm"),
    ],
    compatibilityDate = "2026-11-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
`,
    },
    build: [
      'esbuild edge.js --bundle --format=esm --conditions=workerd --external:*.wasm --loader:.onnx=binary --outfile=main.js --log-level=error',
    ],
    command: 'node isolate.mjs node_modules/@cloudflare/workerd-linux-64/bin/workerd',
    // Without workers a session runs where it is asked for.
    expected: { plain: alone, worker: alone },
  },
];

const typed = {
  kind: 'process',
  gate: true,
  files: [],
  command: 'tsc -p . && echo "{}"',
  expected: {},
} as const;

const useOfTypes = `import wasm from 'neuromancer/neuromancer-wasm.wasm';
import { NeuromancerError, Session, Tensor, type Outputs } from 'neuromancer';
import { Session as SingleSession } from 'neuromancer/single';
import { logMel, resample } from 'neuromancer/audio';
import { decodeYolo, nonMaximumSuppression, topK, type Box } from 'neuromancer/decode';
import { download } from 'neuromancer/download';
import { imageTensor, toImageData } from 'neuromancer/image';

export async function see(session: Session, data: Uint8Array): Promise<Box[]> {
  const { boxes } = await session.run({ image: await imageTensor({ data, width: 4, height: 4 }, { size: 2, fit: 'contain' }) });
  return boxes === undefined || toImageData(boxes).width === 0 ? [] : nonMaximumSuppression(decodeYolo(boxes));
}

export async function hear(url: string, samples: Float32Array): Promise<number | undefined> {
  const model = await download(url, { cache: { get: async () => undefined, put: async () => {} } });
  const session = await Session.load(model, { workers: 2 });
  const { scores } = await session.run({ features: logMel(resample(samples, 48000, 16000)) });
  return scores && topK(scores, 1)[0]?.index;
}

export async function use(bytes: ArrayBuffer): Promise<number> {
  const session = await Session.load(bytes, { wasm, threads: 1, limits: { rounds: 10 }, onProgress: ({ loaded }) => loaded });
  const outputs: Outputs = await session.run({ x: new Tensor('float32', [1]) }, { fetch: ['y'] });
  await (await SingleSession.load('model.onnx')).release();
  try {
    return outputs['y']?.argmax() ?? 0;
  } catch (error) {
    return error instanceof NeuromancerError && error.code === 'invalid_data' ? 1 : 2;
  }
}
`;

function typesCell(name: string, options: object): Cell {
  const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, types: [], target: 'ES2022', ...options };
  return {
    ...typed,
    name: `TypeScript, ${name}`,
    write: {
      'use.ts': useOfTypes,
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['use.ts'] }),
    },
  };
}

const typesCells: Cell[] = [
  typesCell('without the DOM library', { lib: ['ES2022'], module: 'nodenext' }),
  typesCell('with the DOM library', { lib: ['ES2022', 'DOM'], module: 'nodenext' }),
  typesCell('for bundlers', { lib: ['ES2022', 'DOM'], module: 'esnext', moduleResolution: 'bundler' }),
];

export const cells: readonly Cell[] = [...plainCells, ...processCells, ...typesCells, ...bundlerCells];
