// The artefact with addresses of 64 bits in pages: with threads where a page may share memory, alone where it may not, and a
// plain answer from a browser that has no such memory.
import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { Session, Tensor } from '../../web/dist/index.js';
import { inEachBrowser } from './in-each-browser.ts';
import { isolation, servePackage } from './package-server.ts';
import { pageBrowsers } from './webkit.ts';

const model = readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));

const inPage = (worker: boolean) => `(async () => {
  const { detectFeatures, Session, Tensor } = await import('/index.js');
  const { memory64, relaxedSimd, sharedMemory } = detectFeatures();
  try {
    const session = await Session.load('/model.onnx', { artefact: 'wasm64', threads: 2, worker: ${worker} });
    const { probabilities } = await session.run({ image: new Tensor('float32', new Float32Array(784), [1, 1, 28, 28]) });
    const { artefact, threads } = session.engine;
    await session.release();
    return { artefact, threads, expected: sharedMemory ? 2 : 1, probabilities: [...probabilities.data] };
  } catch ({ code, message }) {
    return memory64 && relaxedSimd ? { message } : { code };
  }
})()`;

describe.each([
  ['isolated', isolation, false],
  ['not isolated, in a worker', {}, true],
])('a page that is %s', (_, headers, worker) => {
  const port = servePackage((path) => (path === '/model.onnx' ? model : undefined), headers);

  inEachBrowser(pageBrowsers, 'the numbers of Node, or a refusal', async (driver) => {
    const session = await Session.load(model, { artefact: 'wasm', threads: 1 });
    const image = new Tensor('float32', new Float32Array(784), [1, 1, 28, 28]);
    const { probabilities } = await session.run({ image });
    await session.release();
    await driver.open(`http://localhost:${port()}/`);
    const found = await driver.evaluate<Record<string, unknown>>(inPage(worker));
    if ('code' in found) {
      expect(found).toEqual({ code: 'engine_unavailable' });
      return;
    }
    const { artefact, threads, expected, probabilities: theirs } = found;
    expect(found.message).toBeUndefined();
    expect(artefact).toBe('wasm64');
    expect(threads).toBe(expected);
    (theirs as number[]).forEach((each, i) => {
      expect(each).toBeCloseTo((probabilities as Tensor<'float32'>).data[i] as number, 5);
    });
  });
});
