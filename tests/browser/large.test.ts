// A model beyond 4 GiB is loaded and run, in Node and in pages of Chromium, with and without threads. It takes 5 GB of memory
// and a minute, so it is asked for: NM_LARGE=1.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browsers, chromiumFlags } from './drivers.ts';
import { mistakes, model, row, weightBytes, writeWeights } from './large-model.ts';
import { isolation, servePackage } from './package-server.ts';

interface Outcome {
  artefact: string;
  threads: number;
  loadMs: number;
  runMs: number;
  arena: number;
  y: number[];
}

const unasked = process.env.NM_LARGE === '1' ? '' : ' (skipped: NM_LARGE is not 1)';
const folder = mkdtempSync(join(tmpdir(), 'neuromancer-large-'));
const [modelFile, weights] = [join(folder, 'model.onnx'), join(folder, 'weights')];
/** The weights, and a twentieth for what loading takes besides: one of them is there twice while it is packed. */
const most = 1.05 * weightBytes;

beforeAll(() => {
  if (unasked !== '') return;
  writeFileSync(modelFile, model);
  writeWeights(weights);
});
afterAll(() => rmSync(folder, { recursive: true }));

function check(where: string, { artefact, threads, loadMs, runMs, arena, y }: Outcome, bytes: number): void {
  const gigabytes = (bytes / 1e9).toFixed(2);
  const times = `loaded in ${(loadMs / 1000).toFixed(1)} s, run in ${(runMs / 1000).toFixed(2)} s`;
  console.log(
    `${where}: ${times}, ${threads} threads, ${gigabytes} GB for ${(weightBytes / 1e9).toFixed(2)} GB of weights`,
  );
  expect(mistakes(y)).toEqual([]);
  expect(artefact).toBe('wasm64');
  expect(bytes).toBeLessThan(most + arena);
}

test.skipIf(unasked !== '')(`in Node${unasked}`, { timeout: 300_000 }, async () => {
  const script = fileURLToPath(new URL('large-node.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, modelFile, weights, String(row)], {
    maxBuffer: 1 << 20,
  });
  const outcome = JSON.parse(stdout) as Outcome & { loadBytes: number };
  check('Node', outcome, outcome.loadBytes);
});

const inPage = (options: string) => `(async () => {
  const { Session, Tensor } = await import('/index.js');
  const start = performance.now();
  const session = await Session.load('/model.onnx', { externalData: { weights: '/weights' }, ...${options} });
  const loadMs = performance.now() - start;
  const { y } = await session.run({ row: new Tensor('int64', [${row}]) });
  const runMs = performance.now() - start - loadMs;
  const { arena } = await session.memory();
  const { artefact, threads } = session.engine;
  return { artefact, threads, loadMs, runMs, arena, y: Array.from(y.toFloat32()) };
})()`;

const path = browsers.find(({ name }) => name === 'Chromium')?.path;
const absent = path === undefined ? ' (skipped: Chromium is not installed)' : unasked;
const files: Record<string, URL> = { '/model.onnx': pathToFileURL(modelFile), '/weights': pathToFileURL(weights) };

describe.each([
  ['an isolated page, in a worker', isolation, '{ worker: true, threads: 2 }', 2],
  ['a page that is not isolated', {}, '{}', 1],
])('in %s', (where, headers, options, threads) => {
  const port = servePackage((address) => files[address], headers);

  test.skipIf(absent !== '')(`of Chromium${absent}`, { timeout: 300_000 }, async () => {
    const browser = await chromium.launch({ executablePath: path as string, args: chromiumFlags });
    try {
      const page = await browser.newPage();
      await page.goto(`http://localhost:${port()}/`);
      const system = await browser.newBrowserCDPSession();
      /** What the processes of pages have ever held, in bytes. */
      const held = async () => {
        const { processInfo } = await system.send('SystemInfo.getProcessInfo');
        const kilobytes = processInfo.map(({ type, id }) =>
          type === 'renderer' ? Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) : 0,
        );
        return 1024 * kilobytes.reduce((sum, each) => sum + each, 0);
      };
      const before = await held();
      const outcome = await page.evaluate<Outcome>(inPage(options));
      expect(outcome.threads).toBe(threads);
      check(where, outcome, (await held()) - before);
    } finally {
      await browser.close();
    }
  });
});
