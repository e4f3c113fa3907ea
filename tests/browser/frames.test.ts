// A page goes on drawing while a session with a worker computes, as often as when nothing is computed, and stands still where
// the session has none. A run in a worker that is cancelled is over at once.
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

const open = (worker: boolean) => `
  const { Session, Tensor } = await import('/index.js');
  const session = await Session.load('/model.onnx', { threads: 1, worker: ${worker} });
  const x0 = new Tensor('float32', new Float32Array(512 * 512).fill(1 / 512), [512, 512]);
  await session.run({ x0 });`;

/** How many frames are drawn a second during ten runs, or ten waits of 200 ms, and the longest time between two. */
const frames = (what: 'idle' | 'here' | 'in a worker') => `(async () => {
  ${open(what !== 'here')}
  let during = 0;
  let time = 0;
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
    const begun = performance.now();
    if (${what === 'idle'}) await new Promise((resolve) => setTimeout(resolve, 200));
    else {
      const { y } = await session.run({ x0 });
      if (Math.abs(y.data[0] - 1 / 512) > 1e-6) throw new Error('computed ' + y.data[0]);
    }
    time += performance.now() - begun;
    running = false;
    // A page without a worker draws between the runs.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  drawing = false;
  await session.release();
  return { rate: (1000 * during) / time, longest };
})()`;

interface Frames {
  rate: number;
  longest: number;
}

inEachBrowser(pageBrowsers, 'draws while a session with a worker computes', async (driver) => {
  await driver.open(`http://localhost:${port()}/`);
  const measured: Frames[] = [];
  for (const what of ['idle', 'here', 'in a worker'] as const) {
    const found = await driver.evaluate<Frames>(frames(what));
    // How long a frame takes depends on what else the machine does, so that is told and not tested.
    console.log(`${what}: ${found.rate.toFixed(1)} frames a second, longest ${found.longest.toFixed(0)} ms`);
    measured.push(found);
  }
  const [idle, here, inWorker] = measured as [Frames, Frames, Frames];
  expect(inWorker.rate).toBeGreaterThan(0.8 * idle.rate);
  expect(here.rate).toBeLessThan(inWorker.rate / 2);
});

/** Milliseconds from the signal to the rejection, of several runs that are cancelled in their middle. */
const cancelled = `(async () => {
  ${open(true)}
  const times = [];
  for (let i = 0; i < 5; i++) {
    const controller = new AbortController();
    const outcome = session.run({ x0 }, { signal: controller.signal }).then(() => 'ran', ({ code }) => code);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const begun = performance.now();
    controller.abort();
    if ((await outcome) !== 'cancelled') throw new Error('the run was ' + (await outcome));
    times.push(performance.now() - begun);
    await session.run({ x0 });
  }
  await session.release();
  return times;
})()`;

inEachBrowser(pageBrowsers, 'a run in a worker that is cancelled settles within 50 ms', async (driver) => {
  await driver.open(`http://localhost:${port()}/`);
  const times = await driver.evaluate<number[]>(cancelled);
  // The middle one: a machine that is busy with other things may be late once.
  expect(times.sort((a, b) => a - b)[times.length >> 1]).toBeLessThan(50);
});
