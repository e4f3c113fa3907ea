// The thread pool in WebAssembly: workers over one shared memory, with no script of Emscripten's in between.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { build, size, start, threads } from './module.mjs';

const skip = threads ? false : 'a single-threaded build';
const stackBytes = 256 * 1024;

async function startProbe() {
  const module = await WebAssembly.compile(readFileSync(`${build}/pool_probe.wasm`));
  return { module, ...(await start(module, 1024)) };
}

function startWorker({ module, memory, exports }, index) {
  const stack = exports.probe_alloc(stackBytes);
  const workerData = { module, memory, index, stack, stackBytes: size(stackBytes) };
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData });
  const left = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return { worker, left };
}

test('jobs are complete before any worker has arrived', { skip }, async () => {
  const { exports } = await startProbe();
  exports.probe_threads(4);
  assert.equal(exports.probe_sums(100), 0);
});

test('workers take part, have their own thread-local variables, sleep, wake and leave', { skip }, async () => {
  const instance = await startProbe();
  const { exports } = instance;
  exports.probe_threads(3);
  const workers = [startWorker(instance, 1), startWorker(instance, 2)];
  assert.equal(exports.probe_meet(3), 0b111);
  assert.equal(exports.probe_thread_local(3), 3 * 41);
  assert.equal(exports.probe_sums(20000), 0);
  await new Promise((resolve) => setTimeout(resolve, 50)); // long enough for both to sleep
  assert.equal(exports.probe_meet(3), 0b111);
  assert.equal(exports.probe_thread_local(3), 3 * 42);

  exports.probe_threads(1);
  for (const { worker, left } of workers) {
    assert.deepEqual(await left, { left: 0 });
    await worker.terminate();
  }
  assert.equal(exports.probe_sums(100), 0);
});

test('the pool grows while workers are asleep', { skip }, async () => {
  const instance = await startProbe();
  const { exports } = instance;
  exports.probe_threads(2);
  const first = startWorker(instance, 1);
  assert.equal(exports.probe_meet(2), 0b11);
  exports.probe_threads(3);
  const second = startWorker(instance, 2);
  assert.equal(exports.probe_meet(3), 0b111);
  exports.probe_threads(1);
  await Promise.all([first.left, second.left]);
});
