// A page that loads, runs and releases a model a thousand times is no larger after the last time than after the first
// few hundred, when V8's own tables have settled.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { modelOf } from '../../web/tests/onnx-writer.ts';
import { browsers, chromiumFlags } from './drivers.ts';
import { servePackage } from './package-server.ts';

// Five megabytes of weights.
const [rows, columns] = [1250, 1000];
const model = modelOf(
  [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
  { x: `float32[1,${rows}]` },
  { y: `float32[1,${columns}]` },
  { weights: { w: { dims: [rows, columns], file: 'weights' } } },
);
const weights = Buffer.from(new Float32Array(rows * columns).fill(0.5).buffer);
const port = servePackage((path) => (path === '/weights' ? weights : undefined));

const more = (times: number) => `(async () => {
  const { Session, Tensor } = await import('/index.js');
  globalThis.weights ??= await (await fetch('/weights')).arrayBuffer();
  const model = Uint8Array.from([${model}]);
  const x = new Tensor('float32', new Float32Array(${rows}).fill(2), [1, ${rows}]);
  for (let i = 0; i < ${times}; i++) {
    const session = await Session.load(model, { artefact: 'wasm', externalData: { weights } });
    const { y } = await session.run({ x });
    if (y.data[${columns} - 1] !== ${rows}) throw new Error('computed ' + y.data[${columns} - 1]);
    await session.release();
  }
  // Twice: what the first collection finds may hold more.
  for (let i = 0; i < 2; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
})()`;

const path = browsers.find(({ name }) => name === 'Chromium')?.path;
const why = path === undefined ? ' (skipped: Chromium is not installed)' : '';

test.skipIf(why !== '' || process.platform !== 'linux')(`memory stays flat${why}`, { timeout: 300_000 }, async () => {
  const args = [...chromiumFlags, '--js-flags=--expose-gc'];
  const browser = await chromium.launch({ executablePath: path as string, args });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port()}/`);
    const system = await browser.newBrowserCDPSession();
    /** Megabytes of the page's process. */
    const megabytes = async () => {
      const { processInfo } = await system.send('SystemInfo.getProcessInfo');
      const renderers = processInfo.filter(({ type }) => type === 'renderer');
      const kilobytes = renderers.map(
        ({ id }) => /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1],
      );
      return kilobytes.reduce((sum, each) => sum + Number(each), 0) / 1000;
    };
    const grown = [];
    for (const times of [300, 350, 350]) {
      await page.evaluate(more(times));
      grown.push(await megabytes());
    }
    const [after300 = 0, , after1000 = 0] = grown;
    console.log(`after 300, 650 and 1000 loads: ${grown.map((each) => each.toFixed(1)).join(', ')} MB`);
    expect(after1000 - after300).toBeLessThan(5);
  } finally {
    await browser.close();
  }
});
