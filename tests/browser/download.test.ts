// Files that a page keeps are there without the network, in each place that browsers have for them.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Driver, findBrowser, startChromium, startFirefox } from './drivers.ts';

const script = new URL('../../web/dist/download.js', import.meta.url);
const file = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3));
const integrity = `sha256-${createHash('sha256').update(file).digest('base64')}`;

let downloads = 0;
const server: Server = createServer((request, response) => {
  const path = request.url ?? '/';
  const answer = (type: string, body: string | Buffer) =>
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  if (path === '/download.js' && existsSync(script)) answer('text/javascript', readFileSync(script));
  else if (path.startsWith('/model')) {
    downloads += 1;
    answer('application/octet-stream', file);
  } else answer('text/html', '<!doctype html><title>download</title><link rel="icon" href="data:,">');
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, resolve)));
afterAll(() => void server.close());

/** Twice the same, then the file with a hash that it does not have. */
const visit = (cache: string) => `(async () => {
  const { download } = await import('/download.js');
  const options = { cache: '${cache}', integrity: '${integrity}' };
  const sizes = [];
  for (let i = 0; i < 2; i++) sizes.push((await download('/model-${cache}.onnx', options)).size);
  const other = 'sha256-' + btoa('0'.repeat(32));
  const code = await download('/model-${cache}.onnx', { ...options, integrity: other }).catch((error) => error.code);
  return { sizes, code };
})()`;

const browsers = [
  {
    name: 'Chromium',
    start: startChromium,
    path: findBrowser('NM_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']),
  },
  { name: 'Firefox', start: startFirefox, path: findBrowser('NM_FIREFOX', ['firefox-esr', 'firefox']) },
];

describe.each(browsers)('$name', ({ start, path }) => {
  const why = path === undefined ? ' (skipped: not installed)' : '';
  let driver: Driver | undefined;
  afterEach(async () => {
    await driver?.close();
    driver = undefined;
  });

  test.skipIf(why !== '').each(['opfs', 'cache-api'])(`keeps a file: %s${why}`, async (cache) => {
    driver = await start(path as string);
    await driver.open(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const before = downloads;
    expect(await driver.evaluate(visit(cache))).toEqual({ sizes: [file.length, file.length], code: 'invalid_data' });
    // Once for both, and once more for the hash that is another.
    expect(downloads - before).toBe(2);
    expect(driver.errors).toEqual([]);
  });
});
