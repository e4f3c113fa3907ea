// Frameworks that render pages on a server: the digit is read there, and again in the page.
import { type Cell, inWorker, isolated, threaded } from './cell.ts';

const both = { ...isolated, server: threaded, 'server, worker': inWorker };

const next = {
  kind: 'page',
  install: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
  folder: 'next',
  files: [],
  root: '.',
  page: '',
  expected: both,
} as const;

const buildNext = (bundler: 'turbopack' | 'webpack') => [
  'mkdir public',
  'cp digit.json handwriting.onnx public',
  `NEXT_TELEMETRY_DISABLED=1 next build --${bundler}`,
];

const startNext = 'next start --hostname 127.0.0.1 --port 0';

export const frameworks: Cell[] = [
  { ...next, name: 'Next.js with Turbopack', build: buildNext('turbopack'), server: startNext },
  { ...next, name: 'Next.js with webpack', build: buildNext('webpack'), server: startNext },
  {
    ...next,
    name: 'Next.js, standalone server',
    // Its folder has the packages that are named here, and no others.
    write: {
      'next.config.mjs': `import config from './isolated.mjs';
export default { ...config, output: 'standalone', serverExternalPackages: ['neuromancer'] };
`,
    },
    build: [
      ...buildNext('turbopack'),
      'mv .next/standalone standalone',
      'cp -r .next/static standalone/.next/static',
      'cp -r public standalone/public',
      'rm -r node_modules .next',
    ],
    // It takes no port of the system's choice.
    server: 'env HOSTNAME=127.0.0.1 PORT=$((20000 + $$ % 20000)) node standalone/server.js',
  },
  {
    kind: 'page',
    name: 'SvelteKit',
    install: {
      '@sveltejs/kit': '3.2.0',
      '@sveltejs/vite-plugin-svelte': '7.3.1',
      svelte: '5.57.3',
      vite: '8.3.8',
    },
    folder: 'kit',
    files: [],
    build: ['mkdir static', 'cp digit.json handwriting.onnx static', 'vite build --logLevel warn'],
    root: '.',
    page: '',
    server: 'vite preview --host 127.0.0.1 --port 0',
    expected: both,
  },
];
