// Pages that no server sends: of a browser extension, and of a file.
import { alone, aloneInWorker, type Cell, isolated } from './cell.ts';

export const extensions: Cell[] = [
  {
    kind: 'page',
    name: 'extension (Manifest V3), page and background',
    as: './neuromancer/index.js',
    folder: 'extension',
    files: [],
    // Of a folder that is an extension no name may begin with an underscore, nor is a package wanted there.
    build: ['cp -r node_modules/neuromancer/dist neuromancer', 'rm -r node_modules'],
    root: '.',
    page: 'page.html',
    of: 'extension',
    // A service worker starts no workers.
    expected: { ...isolated, background: alone, 'background, worker': alone },
  },
  {
    kind: 'page',
    name: 'page of a file, single file',
    browsers: ['Chromium', 'Firefox', 'WebKit'],
    install: { esbuild: '0.28.2' },
    as: 'neuromancer/single',
    files: ['in-file.js'],
    write: {
      'dist/index.html': '<!doctype html><link rel="icon" href="data:,"><body><script src="main.js"></script></body>',
    },
    build: ['esbuild in-file.js --bundle --format=iife --loader:.onnx=binary --outfile=dist/main.js --log-level=error'],
    root: 'dist',
    page: 'index.html',
    of: 'file',
    expected: { plain: alone, one: alone, worker: aloneInWorker },
  },
];
