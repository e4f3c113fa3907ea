// Pages and workers with the package's files as they are.
import { alone, aloneInWorker, type Cell, isolated, notIsolated } from './cell.ts';
import { isolation } from './server.ts';

/** The package's files served as they are, beside the page. */
const plain = {
  kind: 'page',
  browsers: ['Chromium', 'Firefox', 'WebKit'],
  as: './neuromancer/index.js',
  build: ['cp -r node_modules/neuromancer/dist neuromancer'],
  root: '.',
} as const;

const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

export const pages: Cell[] = [
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
    core: true,
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
    name: 'page without workers-beside.js',
    files: ['page.html', 'page.js'],
    build: [...plain.build, 'rm neuromancer/workers-beside.js'],
    page: 'page.html',
    headers: isolation,
    expected: {
      plain: { code: 'engine_unavailable', message: 'workers-beside.js' },
      one: alone,
      worker: { code: 'engine_unavailable', message: 'workers-beside.js' },
    },
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
    core: true,
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
    name: 'package on another site, by an import map',
    as: 'neuromancer',
    files: ['page.js'],
    write: {
      'index.html':
        '<!doctype html><link rel="icon" href="data:,"><script type="importmap">{ "imports": { "neuromancer": "CDN/index.js" } }</script><script type="module" src="page.js"></script>',
    },
    build: [],
    page: 'index.html',
    headers: isolation,
    elsewhere: ['index.html'],
    expected: isolated,
  },
  {
    ...plain,
    name: 'single file',
    gate: true,
    core: true,
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
      // Firefox's shared workers may, too, and are not isolated.
      ...(kind === 'shared' ? { but: { Firefox: { worker: aloneInWorker } } } : {}),
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
