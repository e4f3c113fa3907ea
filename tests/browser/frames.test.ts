// A page goes on drawing while a session with a worker computes, and stands still where the session has none.
import { afterEach, describe, expect, test } from 'vitest';
import { modelOf } from '../../web/tests/onnx-writer.ts';
import type { PageDriver } from './drivers.ts';
import { servePackage } from './package-server.ts';
import { pageBrowsers } from './webkit.ts';

// Twenty products of matrices of 512 rows, 5.4 thousand million operations: some 200 ms on one thread.
const products = 20;
const model = modelOf(
  [
    ...Array.from({ length: products }, (_, i) => ({ op: 'MatMul', inputs: [`x${i}`, 'x0'], outputs: [`x${i + 1}`] })),
    { op: 'ReduceMax', inputs: [`x${products}`], outputs: ['y'], attributes: { keepdims: 0 } },
  ],
  { x0: 'float32[512,512]' },
  { y: 'float32[]' },
);
const port = servePackage((path) => (path === '/model.onnx' ? Buffer.from(model) : undefined));

/** The run's time, and the times between frames while runs follow each other. */
const frames = (worker: boolean) => `(async () => {
  const { Session, Tensor } = await import('/index.js');
  const session = await Session.load('/model.onnx', { threads: 1, worker: ${worker} });
  const x0 = new Tensor('float32', new Float32Array(512 * 512).fill(1 / 512), [512, 512]);
  await session.run({ x0 });
  const drawn = [];
  let drawing = true;
  const draw = (at) => {
    drawn.push(at);
    if (drawing) requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
  const begin = performance.now();
  const runs = 10;
  for (let i = 0; i < runs; i++) {
    const { y } = await session.run({ x0 });
    if (Math.abs(y.data[0] - 1 / 512) > 1e-6) throw new Error('computed ' + y.data[0]);
    // A page without a worker draws at least between the runs.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const run = (performance.now() - begin) / runs;
  drawing = false;
  await session.release();
  const between = drawn.slice(1).map((at, i) => at - drawn[i]).sort((a, b) => a - b);
  return { run, longest: between.at(-1), most: between[Math.floor(between.length * 0.95)], frames: between.length };
})()`;

interface Frames {
  run: number;
  longest: number;
  /** Of twenty times between frames nineteen are no longer. */
  most: number;
  frames: number;
}

describe.each(pageBrowsers)('$name', ({ start, path }) => {
  const why = path === undefined ? ' (skipped: not installed)' : '';
  let driver: PageDriver | undefined;
  afterEach(async () => {
    await driver?.close();
    driver = undefined;
  });

  test.skipIf(why !== '')(`drops no frames for a session with a worker${why}`, async () => {
    driver = await start(path as string);
    await driver.open(`http://localhost:${port()}/`);
    const here = await driver.evaluate<Frames>(frames(false));
    const inWorker = await driver.evaluate<Frames>(frames(true));
    // What this can see: without a worker no frame comes during a run.
    expect(here.longest).toBeGreaterThan(here.run * 0.8);
    // A frame lasts 17 ms, and twice as long in a browser that has no time: where other processes want the processors,
    // a single one was seen to last 86.
    expect(inWorker.frames).toBeGreaterThan(20);
    expect(inWorker.most).toBeLessThan(40);
    expect(inWorker.longest).toBeLessThan(100);
    expect(driver.errors).toEqual([]);
  });
});
