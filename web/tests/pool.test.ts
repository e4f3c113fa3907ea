// Sessions with several workers: real ones with the engine, and scripts of a few lines where time or failure matters.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { NeuromancerError, Session, Tensor } from '../dist/index.js';
import { useFiles } from '../src/host/own-files.js';
import { Session as SourceSession, Tensor as SourceTensor } from '../src/index.js';
import { inWorkers } from '../src/workers/in-workers.js';
import { useWorkerScript } from '../src/workers/worker-calls.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const model = modelOf([{ op: 'Mul', inputs: ['x', 'x'], outputs: ['y'] }], { x: 'float32[n]' }, { y: 'float32[n]' });
const options = { artefact: 'wasm', threads: 1, workers: 3 } as const;
const sessions: { release(): Promise<void> }[] = [];
async function open(more: object = {}, source: Parameters<typeof Session.load>[0] = model): Promise<Session> {
  const session = await Session.load(source, { ...options, ...more });
  sessions.push(session);
  return session;
}
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.release()));
});

describe.skipIf(!built('wasm'))('with the engine', () => {
  let downloads = 0;
  const server: Server = createServer((_, response) => {
    downloads += 1;
    response.writeHead(200, { 'content-length': model.byteLength }).end(model);
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());

  test('every run has its own answer', async () => {
    const session = await open();
    expect(session.engine).toMatchObject({ worker: true, workers: 3, threads: 1 });
    const runs = Array.from({ length: 20 }, (_, i) => session.run({ x: new Tensor('float32', [i, -i]) }));
    const answers = await Promise.all(runs);
    expect(answers.map(({ y }) => (y as Tensor).toArray())).toEqual(Array.from(runs, (_, i) => [i * i, i * i]));
  });

  test('the model is downloaded once, and its progress told', async () => {
    const progress = vi.fn();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
    await open({ onProgress: progress }, url);
    expect(downloads).toBe(1);
    expect(progress).toHaveBeenCalledWith({ phase: 'model', loaded: model.byteLength, total: model.byteLength });
  });

  test('warming up reaches every worker, and the memory is that of all', async () => {
    const [one, three] = [await open({ workers: 1 }), await open()];
    expect(one.engine.workers).toBeUndefined();
    await Promise.all([one.warmup({ n: 1000 }), three.warmup({ n: 1000 })]);
    const [single, all] = [await one.memory(), await three.memory()];
    expect(all.heap).toBe(3 * single.heap);
    expect(await three.steps()).toHaveLength(1);
  });

  test("errors of a run are that run's", async () => {
    const session = await open();
    const wrong = session.run({ x: new Tensor('float32', [1, 2], [2, 1]) });
    const right = session.run({ x: new Tensor('float32', [3]) });
    await expect(wrong).rejects.toBeInstanceOf(NeuromancerError);
    expect(((await right).y as Tensor).toArray()).toEqual([9]);
    expect(((await session.run({ x: new Tensor('float32', [4]) })).y as Tensor).toArray()).toEqual([16]);
  });

  test('a model that is none, an option that is none, a signal', async () => {
    await expect(open({}, Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'invalid_model' });
    await expect(open({ workers: 0 })).rejects.toThrow('"workers" of Session.load must be a whole number of 1 to 64');
    await expect(open({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('nothing can stay in the engine', async () => {
    const session = await open();
    const x = new Tensor('float32', [1]);
    await expect(session.keep(x)).rejects.toThrow('load with "worker" in place of "workers"');
    await expect(session.run({ x }, { keep: ['y'] })).rejects.toThrow('load with "worker" in place of "workers"');
    expect((await session.run({ x })).y).toBeDefined();
  });

  test('a released session refuses', async () => {
    const session = await open();
    const before = session.run({ x: new Tensor('float32', [2]) });
    await session.release();
    expect(((await before).y as Tensor).toArray()).toEqual([4]);
    await expect(session.run({ x: new Tensor('float32', [1]) })).rejects.toMatchObject({ code: 'session_closed' });
  });
});

describe('workers that take their time', () => {
  const loaded = {
    description: { name: '', inputs: [{ name: 'x', type: 'float32' }], outputs: [{ name: 'x', type: 'float32' }] },
    engine: { artefact: 'wasm', threads: 1, worker: true },
  };
  /** Answers every run after so many milliseconds; a run of NaN ends the worker. */
  const slow = (milliseconds: number) => {
    const script = `
      import { parentPort as parent } from 'node:worker_threads';
      parent.on('message', ({ id, call, given }) => {
        if (call === 'load') parent.postMessage({ id, returned: ${JSON.stringify(loaded)} });
        if (call !== 'run') return;
        if (Number.isNaN(given.feeds[0][1].data[0])) process.exit(7);
        setTimeout(() => parent.postMessage({ id, returned: { outputs: given.feeds, kept: [] } }), ${milliseconds});
      });`;
    const url = () => new URL(`data:text/javascript,${encodeURIComponent(script)}`);
    useWorkerScript({ start: () => new Worker(url()), url });
    useFiles({ engine: () => new URL('file:///none'), inWorkers });
  };
  const wasm = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const x = (value = 1) => new SourceTensor('float32', [value]);
  async function openSlow(milliseconds: number, workers = 2): Promise<SourceSession> {
    slow(milliseconds);
    const session = await SourceSession.load(new Uint8Array(8), { wasm, threads: 1, workers });
    sessions.push(session);
    return session;
  }

  test('work beside each other', async () => {
    const session = await openSlow(400, 4);
    const start = performance.now();
    await Promise.all([1, 2, 3, 4].map((value) => session.run({ x: x(value) })));
    // One after the other would take 1600.
    expect(performance.now() - start).toBeLessThan(1200);
  });

  test('a run that waits can be cancelled, and holds no place', async () => {
    const session = await openSlow(300);
    const busy = [session.run({ x: x() }), session.run({ x: x() })];
    const controller = new AbortController();
    const waiting = session.run({ x: x() }, { signal: controller.signal });
    const after = session.run({ x: x(5) });
    setTimeout(() => controller.abort(), 50);
    const start = performance.now();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    expect(performance.now() - start).toBeLessThan(250);
    await Promise.all(busy);
    expect(((await after).x as SourceTensor).toArray()).toEqual([5]);
  });

  test('a release ends runs that wait, too', async () => {
    const session = await openSlow(60_000);
    const runs = [1, 2, 3, 4].map((value) => session.run({ x: x(value) }).catch((error) => error.code));
    await session.release();
    expect(await Promise.all(runs)).toEqual(Array(4).fill('session_closed'));
  });

  test('one that dies ends the session, as the only one would', async () => {
    const session = await openSlow(100);
    await expect(session.run({ x: x(Number.NaN) })).rejects.toThrow('it ended with exit code 7');
    await expect(session.run({ x: x() })).rejects.toMatchObject({ code: 'session_closed' });
  });
});
