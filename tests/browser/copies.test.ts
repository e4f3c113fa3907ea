// Two versions of the package on one page: two libraries of an application may bring one each.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';
import { pageBrowsers } from './webkit.ts';

const model = readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));
const dist = new URL('../../web/dist/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', dist), 'utf8'));
const otherVersion = version.replace(/\d$/, (digit: string) => (Number(digit) + 1) % 10);

/** The same package, whose engine says that it is another version. */
function other(name: string): Buffer {
  const file = readFileSync(new URL(name, dist));
  if (!name.endsWith('.wasm')) return file;
  const at = file.indexOf(version);
  if (at < 0 || otherVersion.length !== version.length) throw new Error(`${name} does not say its version`);
  file.write(otherVersion, at);
  return file;
}

const port = servePackage((path) => {
  if (path === '/model.onnx') return model;
  return path.startsWith('/other/') ? other(path.slice('/other/'.length)) : undefined;
});

const inPage = `(async () => {
  const versions = await Promise.all([import('/index.js'), import('/other/index.js')]);
  const load = (worker) => versions.map(({ Session }) => Session.load('/model.onnx', { artefact: 'wasm', threads: 1, worker }));
  const sessions = await Promise.all([...load(false), ...load(true)]);
  // Tensors of one are inputs of the other.
  const pixels = Float32Array.from({ length: 784 }, (_, at) => (at * 7) % 11 / 10);
  const images = versions.map(({ Tensor }) => new Tensor('float32', pixels, [1, 1, 28, 28]));
  const answers = await Promise.all(sessions.flatMap((session) => images.map((image) => session.run({ image }))));
  const errors = await Promise.all(sessions.map((session) => session.run({ imago: images[0] }).catch((error) => error)));
  const known = errors.map((error) => versions.map(({ NeuromancerError }) => error instanceof NeuromancerError));
  await sessions[0].release();
  await sessions[2].release();
  const later = await Promise.all([sessions[1], sessions[3]].map((session) => session.run({ image: images[0] })));
  const probabilities = [...answers, ...later].map((outputs) => [...outputs.probabilities.data].join());
  return {
    versions: sessions.map(({ engine }) => engine.version),
    different: new Set(probabilities).size,
    code: errors.map(({ code }) => code),
    known: known.flat(),
  };
})()`;

inEachBrowser(pageBrowsers, 'two versions on a page do not disturb each other', async (driver) => {
  await driver.open(`http://localhost:${port()}/`);
  expect(await driver.evaluate(inPage)).toEqual({
    versions: [version, otherVersion, version, otherVersion],
    different: 1,
    code: Array(4).fill('invalid_argument'),
    known: Array(8).fill(true),
  });
});
