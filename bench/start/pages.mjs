// A fresh browser's page, nothing cached: from the import to the first output, milliseconds of the clock.
import { findBrowser, startChromium } from '../../tests/browser/drivers.ts';
import { serve } from '../../tests/bundlers/server.ts';
import { root } from '../../tests/hosts/project.ts';

const ort = `
  const ort = await import('/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  const session = await ort.InferenceSession.create('/MODEL');
  const outputs = await session.run({ NAME: new ort.Tensor('float32', data, dims) });`;
const load = `
  const { Session } = await import('/web/dist/index.js');
  const session = await Session.load('/MODEL', { threads: 1 });
  const outputs = await session.run({ NAME: { type: 'float32', data, dims } });`;
const fromBundle = load
  .replace('index', 'bundled')
  .replace('Session.load', 'Session.fromBundle')
  .replace(', { threads: 1 }', '');

export const ways = {
  'Session.load': load,
  'Session.load, packed': load,
  'Session.fromBundle': fromBundle,
  'the same, reduced': fromBundle,
  'onnxruntime-web': ort,
};

/** The browser, or nothing where it is not there. */
export const browser = findBrowser('NM_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']);

/** Of a model's file, given by its path in the project, with an input of `dims`. */
export async function firstOutput(way, model, name, dims) {
  const site = await serve(root, { 'Cache-Control': 'no-store' });
  const driver = await startChromium(browser);
  try {
    await driver.open(`${site.url}bench/start/page.html`);
    const body = ways[way].replaceAll('MODEL', model).replaceAll('NAME', name);
    return await driver.evaluate(`(async () => {
      const dims = ${JSON.stringify(dims)};
      const data = new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5);
      const start = performance.now();
      ${body}
      const [output] = Object.values(outputs);
      if (!output.data.every(Number.isFinite)) throw new Error('no output');
      return performance.now() - start;
    })()`);
  } finally {
    await driver.close();
    site.close();
  }
}
