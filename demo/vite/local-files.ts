// Serves models, labels and pictures that lie beside the repository (../shared) to the site under local/, with a
// manifest of what there is. A built site carries an empty manifest and uses public URLs.
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connect, Plugin } from 'vite';

const contentTypes: Record<string, string> = {
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
};

export interface Manifest {
  /** Names of catalogue models. */
  models: string[];
  labels: string[];
  pictures: string[];
}

const nothing: Manifest = { models: [], labels: [], pictures: [] };

export function localFiles(repository: URL): Plugin {
  const shared = fileURLToPath(new URL('../shared', repository));
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://local').pathname);
    if (path === '/manifest.json') {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(manifest(shared)));
      return;
    }
    const file = join(shared, path);
    if (!file.startsWith(shared + sep) || !existsSync(file) || !statSync(file).isFile()) {
      next();
      return;
    }
    response.setHeader('Content-Type', contentTypes[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Content-Length', statSync(file).size);
    createReadStream(file).pipe(response);
  };
  return {
    name: 'local-files',
    configureServer: (server) => void server.middlewares.use('/local', serve),
    configurePreviewServer: (server) => void server.middlewares.use('/local', serve),
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'local/manifest.json', source: JSON.stringify(nothing) });
    },
  };
}

function manifest(shared: string): Manifest {
  const list = (folder: string) => (existsSync(join(shared, folder)) ? readdirSync(join(shared, folder)).sort() : []);
  return {
    models: list('models').filter((name) => existsSync(join(shared, 'models', name, 'model.onnx'))),
    labels: list('labels').filter((name) => name.endsWith('.txt')),
    pictures: list('media').filter((name) => /\.(png|jpe?g)$/.test(name) && !name.startsWith('ocr')),
  };
}
