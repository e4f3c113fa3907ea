// Puts the catalogue's models into the site, so that a visitor's browser asks nobody else for them: from the folder that
// NM_MODELS names, else from their public addresses, which name a commit; either way only with the right hash.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Connect, Plugin } from 'vite';
import catalogue from '../../models/catalogue.json' with { type: 'json' };
import { modelFile } from '../../models/folder.ts';
import type { CatalogueModel } from '../src/catalogue.ts';

const models = (catalogue.models as CatalogueModel[]).filter(({ file }) => file === undefined);
const patience = 60_000;

export function catalogueModels(): Plugin {
  // One address that does not answer is the network's fault: the others are not waited for.
  let reachable = true;

  const bytesOf = async (model: CatalogueModel): Promise<Uint8Array> => {
    const { url = '', sha256 } = model;
    const file = modelFile(model.name);
    if (!existsSync(file) && !reachable) throw new Error(`The model "${model.name}" cannot be downloaded either.`);
    const bytes = existsSync(file) ? readFileSync(file) : await download(url).catch(unreachable);
    if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
    throw new Error(
      `The model "${model.name}" from ${existsSync(file) ? file : url} has another hash than the catalogue says.`,
    );
  };

  const unreachable = (error: Error): never => {
    reachable = false;
    throw error;
  };

  const serve: Connect.NextHandleFunction = async (request, response, next) => {
    const path = new URL(request.url ?? '/', 'http://local').pathname;
    const model = models.find(({ name }) => path === `/${name}.onnx`);
    if (path === '/manifest.json') {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(models.map(({ name }) => name)));
    } else if (model === undefined) next();
    else {
      await bytesOf(model).then(
        (bytes) => response.setHeader('Content-Length', bytes.length).end(bytes),
        (error: Error) => response.writeHead(502).end(error.message),
      );
    }
  };

  return {
    name: 'catalogue-models',
    configureServer: (server) => void server.middlewares.use('/models', serve),
    async generateBundle() {
      const there: string[] = [];
      for (const model of models) {
        try {
          this.emitFile({ type: 'asset', fileName: `models/${model.name}.onnx`, source: await bytesOf(model) });
          there.push(model.name);
        } catch (error) {
          this.warn(`${(error as Error).message} The site will load it from its public address.`);
        }
      }
      this.emitFile({ type: 'asset', fileName: 'models/manifest.json', source: JSON.stringify(there) });
    },
  };
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(patience) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
