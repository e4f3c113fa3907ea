// A browser, and the server of what its pages load.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { pageBrowsers } from '../../tests/browser/webkit.ts';

const contentTypes = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/**
 * Pages of the browser `name` (chromium, firefox or webkit) run the module `script`, which defines `measure`; `fileOf`
 * says which file is at a path.
 */
export async function openBrowser(name, script, fileOf) {
  const kind = pageBrowsers.find((browser) => browser.name.toLowerCase() === name);
  if (kind === undefined)
    throw new Error(`no browser '${name}'; there are ${pageBrowsers.map((b) => b.name.toLowerCase()).join(', ')}`);
  if (kind.path === undefined) throw new Error(`${kind.name} is not installed here`);
  const serve = (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const headers = {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cache-Control': 'no-store',
    };
    if (path === '/') {
      response.writeHead(200, { ...headers, 'Content-Type': 'text/html' });
      return response.end(`<!doctype html><title>peers</title><script type="module" src="${script}"></script>`);
    }
    const file = fileOf(path);
    if (!existsSync(file)) {
      response.writeHead(404, headers);
      return response.end();
    }
    response.writeHead(200, { ...headers, 'Content-Type': contentTypes[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  };
  const server = createServer(serve).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const opened = {
    /** The browser and its version, once a page has been asked. */
    name: kind.name,
    // A browser of its own for each measurement, so that no page finds what another left in its process.
    async inFreshPage(setting) {
      const browser = await kind.start(kind.path);
      try {
        await browser.open(`http://127.0.0.1:${server.address().port}`);
        const agent = await browser.evaluate('navigator.userAgent');
        opened.name = `${kind.name} ${/(?:Chrome|Firefox|Version)\/([\d.]+)/.exec(agent)?.[1]}`;
        return await browser.evaluate(`(${measure})(${JSON.stringify(setting)})`);
      } finally {
        await browser.close();
      }
    },
    close: () => server.close(),
  };
  return opened;
}

// What a page is asked, as a text: `measure` is there once the script has been loaded.
const measure = `async (setting) => {
  while (window.measure === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  return window.measure(setting);
}`;
