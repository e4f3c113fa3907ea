// Without the network: what the page has kept works, and what is missing is named.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';
import { pageBrowsers } from './webkit.ts';

const model = readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));
let online = true;
const port = servePackage((path) => {
  if (!online) return null;
  return path.endsWith('.onnx') ? model : undefined;
});

const load = `async () => {
  const [{ Session, Tensor }, { download }] = await Promise.all([import('/index.js'), import('/download.js')]);
  const session = await Session.load(await download('/kept.onnx', { cache: 'cache-api' }), { threads: 1 });
  const { probabilities } = await session.run({ image: new Tensor('float32', new Float32Array(784), [1, 1, 28, 28]) });
  await session.release();
  return probabilities.shape;
}`;

const missing = `async () => {
  const [{ Session }, { download }] = await Promise.all([import('/index.js'), import('/download.js')]);
  const failure = ({ code, message }) => code + ': ' + message;
  return Promise.all([
    Session.load('/missing.onnx', { threads: 1 }).catch(failure),
    download('/missing.onnx', { cache: 'cache-api' }).catch(failure),
    // Not the engine that is here.
    Session.load(new Uint8Array(1), { wasm: '/missing.wasm' }).catch(failure),
    Session.load(new Uint8Array(1), { worker: true }).catch(failure),
  ]);
}`;

inEachBrowser(pageBrowsers, 'works with what is kept, and names what is missing', async (driver) => {
  online = true;
  await driver.open(`http://localhost:${port()}/`);
  expect(await driver.evaluate(`(${load})()`)).toEqual([1, 36]);
  online = false;
  expect(await driver.evaluate(`(${load})()`)).toEqual([1, 36]);
  expect(await driver.evaluate(`(${missing})()`)).toEqual([
    expect.stringMatching(
      /^download_failed: The model could not be fetched from .*missing\.onnx.*Check the address and the network/,
    ),
    expect.stringMatching(/^download_failed: .*missing\.onnx/),
    expect.stringMatching(/^engine_unavailable: .*missing\.wasm/),
    expect.stringMatching(/^engine_unavailable: workers-beside\.js/),
  ]);
  // Browsers tell of each file that did not come.
  driver.errors.splice(0);
  online = true;
  expect(await driver.evaluate(`(${load})()`)).toEqual([1, 36]);
});
