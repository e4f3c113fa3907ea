// Serves an empty page, the package as it is built, and what npm has installed, to the tests of one file.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';

const dist = new URL('../../web/dist/', import.meta.url);
const installed = new URL('../../', import.meta.url);
const types: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
  svg: 'image/svg+xml',
};

/** What makes a page cross-origin isolated, so that it can share memory. */
export const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * `more` has what else there is, by path, a URL being that of a file too large to be read at once; a null ends the
 * connection, as if there were no network. The port, once the server listens: on localhost and 127.0.0.1, two sites.
 */
export function servePackage(
  more: (path: string) => string | Buffer | URL | null | undefined = () => undefined,
  headers: Readonly<Record<string, string>> = {},
): () => number {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (path === '/') {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>package</title><link rel="icon" href="data:,">');
      return;
    }
    const file = new URL(`.${path}`, path.startsWith('/node_modules/') ? installed : dist);
    const given = more(path);
    if (given === null) {
      request.socket.destroy();
      return;
    }
    if (given instanceof URL) {
      response.writeHead(200, { 'content-length': statSync(given).size, 'cache-control': 'no-store' });
      createReadStream(given, { highWaterMark: 1 << 20 }).pipe(response);
      return;
    }
    const body = given ?? (existsSync(file) ? readFileSync(file) : undefined);
    const type = types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, resolve)));
  afterAll(() => void server.close());
  return () => (server.address() as AddressInfo).port;
}

/** An empty page in which bare names lead to these addresses. */
export function pageWithImports(imports: Readonly<Record<string, string>>): string {
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  return `<!doctype html><title>package</title><link rel="icon" href="data:,">${map}`;
}
