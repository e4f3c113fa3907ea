// `import html from './guide.md?html'`: a document of the repository as a part of the page, made when the site is built.
import { readFile } from 'node:fs/promises';
import { marked } from 'marked';
import type { Plugin } from 'vite';

const query = '?html';

export function markdown(): Plugin {
  return {
    name: 'markdown',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith(`.md${query}`)) return null;
      const file = id.slice(0, -query.length);
      this.addWatchFile(file);
      return `export default ${JSON.stringify(await marked(await readFile(file, 'utf8')))};`;
    },
  };
}
