// Serves the models of NM_MODELS, and the labels and pictures beside them, to the site under local/, with a manifest of
// what there is. A built site carries an empty manifest and uses public URLs.
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connect, Plugin } from 'vite';
import { besideModels, modelFile, modelsFolder } from '../../models/folder.ts';

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

/** Where they lie, by the first part of their address. */
const folders: Record<string, string> =
  modelsFolder === undefined
    ? {}
    : {
        models: fileURLToPath(modelsFolder),
        labels: fileURLToPath(besideModels('labels/')),
        media: fileURLToPath(besideModels('media/')),
      };

export function localFiles(): Plugin {
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://local').pathname);
    if (path === '/manifest.json') {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(manifest()));
      return;
    }
    const [, kind = '', ...rest] = path.split('/');
    const folder = folders[kind];
    const file = folder === undefined ? '' : join(folder, ...rest);
    if (folder === undefined || !file.startsWith(folder) || !existsSync(file) || !statSync(file).isFile()) {
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

function manifest(): Manifest {
  const list = (kind: string) => {
    const folder = folders[kind];
    return folder !== undefined && existsSync(folder) ? readdirSync(folder).sort() : [];
  };
  return {
    models: list('models').filter((name) => existsSync(modelFile(name))),
    labels: list('labels').filter((name) => name.endsWith('.txt')),
    pictures: list('media').filter((name) => /\.(png|jpe?g)$/.test(name) && !name.startsWith('ocr')),
  };
}
