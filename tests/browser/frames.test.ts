// A page goes on drawing while a session with a worker computes, and stands still where the session has none.
import { expect } from 'vitest';
import { modelOf } from '../../web/tests/onnx-writer.ts';
import { inEachBrowser } from './in-each-browser.ts';
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

/** How many frames are drawn during ten runs, and the longest time between two. */
const frames = (worker: boolean) => `(async () => {
  const { Session, Tensor } = await import('/index.js');
  const session = await Session.load('/model.onnx', { threads: 1, worker: ${worker} });
  const x0 = new Tensor('float32', new Float32Array(512 * 512).fill(1 / 512), [512, 512]);
  await session.run({ x0 });
  let during = 0;
  let longest = 0;
  let last = performance.now();
  let running = false;
  let drawing = true;
  const draw = (at) => {
    during += running ? 1 : 0;
    longest = Math.max(longest, at - last);
    last = at;
    if (drawing) requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
  for (let i = 0; i < 10; i++) {
    running = true;
    const { y } = await session.run({ x0 });
    running = false;
    if (Math.abs(y.data[0] - 1 / 512) > 1e-6) throw new Error('computed ' + y.data[0]);
    // A page without a worker draws between the runs.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  drawing = false;
  await session.release();
  return { during, longest };
})()`;

interface Frames {
  during: number;
  longest: number;
}

inEachBrowser(pageBrowsers, 'draws while a session with a worker computes', async (driver) => {
  await driver.open(`http://localhost:${port()}/`);
  const here = await driver.evaluate<Frames>(frames(false));
  const inWorker = await driver.evaluate<Frames>(frames(true));
  // How long a frame takes depends on what else the machine does, so that is told and not tested.
  console.log(
    `longest time between frames: ${inWorker.longest.toFixed(0)} ms, without a worker ${here.longest.toFixed(0)}`,
  );
  expect(inWorker.during).toBeGreaterThanOrEqual(10);
  expect(here.during).toBeLessThan(inWorker.during / 2);
});
