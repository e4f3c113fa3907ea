// A session with several workers in a page: the same answers as in Node.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { Session, Tensor } from '../../web/dist/index.js';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';
import { pageBrowsers } from './webkit.ts';

const model = readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));
let downloads = 0;
const port = servePackage((path) => {
  if (path !== '/model.onnx') return undefined;
  downloads += 1;
  return model;
});

/** Pictures that differ. */
const runs = `Array.from({ length: 7 }, (_, i) => {
  const pixels = Float32Array.from({ length: 784 }, (_, at) => (at * (i + 3)) % 11 / 10);
  return session.run({ image: new Tensor('float32', pixels, [1, 1, 28, 28]) });
})`;

const inPage = `(async () => {
  const { Session, Tensor } = await import('/index.js');
  const session = await Session.load('/model.onnx', { artefact: 'wasm', workers: 3, threads: 1 });
  const answers = await Promise.all(${runs});
  await session.release();
  return { workers: session.engine.workers, best: answers.map(({ probabilities }) => [...probabilities.data]) };
})()`;

inEachBrowser(pageBrowsers, "several workers share a session's runs", async (driver) => {
  const session = await Session.load(model, { artefact: 'wasm', threads: 1 });
  const asked = new Function('session', 'Tensor', `return ${runs}`)(session, Tensor) as Promise<{
    probabilities: Tensor<'float32'>;
  }>[];
  const best = (await Promise.all(asked)).map(({ probabilities }) => [...probabilities.data]);
  await session.release();
  await driver.open(`http://localhost:${port()}/`);
  const before = downloads;
  expect(await driver.evaluate(inPage)).toEqual({ workers: 3, best });
  expect(downloads - before).toBe(1);
});
