// Files that a page keeps are there without the network, in each place that browsers have for them.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';
import { pageBrowsers } from './webkit.ts';

const file = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3));
const integrity = `sha256-${createHash('sha256').update(file).digest('base64')}`;

let downloads = 0;
const port = servePackage((path) => {
  if (!path.startsWith('/model')) return undefined;
  downloads += 1;
  return file;
});

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

for (const cache of ['opfs', 'cache-api']) {
  // WebKit for GTK has no private files.
  const able = pageBrowsers.filter(({ name }) => cache !== 'opfs' || name !== 'WebKit');
  inEachBrowser(able, `keeps a file: ${cache}`, async (driver) => {
    await driver.open(`http://localhost:${port()}/`);
    const before = downloads;
    expect(await driver.evaluate(visit(cache))).toEqual({ sizes: [file.length, file.length], code: 'invalid_data' });
    // Once for both, and once more for the hash that is another.
    expect(downloads - before).toBe(2);
  });
}
