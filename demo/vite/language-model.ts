// Puts a language model into the site: the files of the folder that NM_LANGUAGE_MODEL names, as models/gguf/convert.py
// writes them. Without one the page "Write" lets the visitor open files.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Connect, Plugin } from 'vite';
import { fileNames } from '../src/write/language-model-files.ts';

export function languageModel(): Plugin {
  const folder = process.env.NM_LANGUAGE_MODEL;
  const names = Object.values(fileNames);
  const missing = names.filter((name) => folder && !existsSync(join(folder, name)));
  if (missing.length > 0) throw new Error(`NM_LANGUAGE_MODEL: ${folder} lacks ${missing.join(', ')}.`);

  const serve: Connect.NextHandleFunction = (request, response, next) => {
    const name = names.find((name) => new URL(request.url ?? '/', 'http://local').pathname === `/${name}`);
    if (name === undefined || !folder) return next();
    response.setHeader('Content-Length', statSync(join(folder, name)).size);
    createReadStream(join(folder, name)).pipe(response);
  };

  return {
    name: 'language-model',
    config: () => ({ define: { 'import.meta.env.NM_LANGUAGE_MODEL': JSON.stringify(Boolean(folder)) } }),
    configureServer: (server) => void server.middlewares.use('/models/language', serve),
    generateBundle() {
      if (!folder) return;
      for (const name of names) {
        this.emitFile({ type: 'asset', fileName: `models/language/${name}`, source: readFileSync(join(folder, name)) });
      }
    },
  };
}
