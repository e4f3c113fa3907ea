// Serves an empty page, the package as it is built, and what npm has installed, to the tests of one file.
import { existsSync, readFileSync } from 'node:fs';
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

/**
 * `more` has what else there is, by path; a null ends the connection, as if there were no network. The port, once the
 * server listens: on localhost and 127.0.0.1, two sites.
 */
export function servePackage(
  more: (path: string) => string | Buffer | null | undefined = () => undefined,
): () => number {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
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
