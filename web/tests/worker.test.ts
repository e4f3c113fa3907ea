// A session's worker that misbehaves: it dies, hangs, or is never released. The workers here are scripts of a few lines
// in the place of worker.js, so that each can be made to fail in its own way.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { useFiles } from '../src/host/own-files.js';
import { NeuromancerError, Session, Tensor } from '../src/index.js';
import { inWorkers } from '../src/workers/in-workers.js';
import { useWorkerScript } from '../src/workers/worker-calls.js';

const wasm = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
const x = () => new Tensor('float32', [1]);
const loaded = {
  description: { name: '', inputs: [{ name: 'x', type: 'float32' }], outputs: [{ name: 'x', type: 'float32' }] },
  engine: { artefact: 'wasm', threads: 1, worker: true },
};

/** Sessions run in workers that have `body` for a script; `parent`, `answer` and `loaded` are there for it. */
function workersDo(body: string): void {
  const script = `
    import { parentPort as parent } from 'node:worker_threads';
    const answer = ({ id }, returned) => parent.postMessage({ id, returned });
    const loaded = ${JSON.stringify(loaded)};
    ${body}`;
  const url = () => new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  useWorkerScript({ start: () => new Worker(url()), url });
  useFiles({ engine: () => new URL('file:///none'), inWorkers });
}

const load = (source: string | Uint8Array = 'http://localhost/model.onnx') =>
  Session.load(source, { wasm, worker: true });

async function milliseconds(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

const sessions: Session[] = [];
async function open(source?: string | Uint8Array): Promise<Session> {
  const session = await load(source);
  sessions.push(session);
  return session;
}

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.release()));
});

describe('a worker that dies', () => {
  test.each([
    ['before it answers', 'process.exit(3)', 'it ended with exit code 3'],
    ['with an error', 'throw new Error("no such luck")', 'no such luck'],
    ['because its script is none', '}', 'SyntaxError'],
    ['while the model loads', "parent.on('message', () => process.exit(4))", 'it ended with exit code 4'],
  ])('%s fails the load', async (_, body, reason) => {
    workersDo(body);
    const error = await load().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NeuromancerError);
    expect(error).toMatchObject({ code: 'engine_unavailable' });
    expect((error as Error).message).toContain(reason);
  });

  test('fails every call that is under way, those that come after, and can be released', async () => {
    workersDo(
      `parent.on('message', (m) => m.call === 'load' ? answer(m, loaded) : m.call === 'run' && process.exit(7))`,
    );
    const session = await open();
    const calls = await Promise.allSettled([
      session.run({ x: x() }),
      session.run({ x: x() }),
      session.memory(),
      session.steps(),
    ]);
    for (const call of calls) expect(call).toMatchObject({ reason: { code: 'session_closed' } });
    expect(calls[0]).toMatchObject({ reason: { message: expect.stringContaining('it ended with exit code 7') } });
    await expect(session.run({ x: x() })).rejects.toMatchObject({ code: 'session_closed' });
    await session.release();
  });

  test('while nobody waits is noticed at the next call', async () => {
    workersDo(
      `parent.on('message', (m) => { if (m.call === 'load') { answer(m, loaded); setTimeout(() => process.exit(1), 10); } })`,
    );
    const session = await open();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expect(session.run({ x: x() })).rejects.toMatchObject({ code: 'session_closed' });
  });
});

describe('a load in a worker', () => {
  test('fails with the engine, although the model never comes', async () => {
    workersDo("parent.on('message', () => {});");
    const bad = { wasm: new Uint8Array(8), worker: true };
    for (const source of [new Response(new ReadableStream()), 'http://localhost/model.onnx', Uint8Array.of(1)]) {
      await expect(Session.load(source, bad)).rejects.toMatchObject({ code: 'engine_unavailable' });
    }
  });

  test('is cancelled at once, whatever it waits for', async () => {
    workersDo("parent.on('message', () => {});");
    for (const source of [new Response(new ReadableStream()), 'http://localhost/model.onnx']) {
      const signal = AbortSignal.timeout(50);
      await expect(Session.load(source, { wasm, worker: true, signal })).rejects.toMatchObject({ code: 'cancelled' });
    }
  });
});

describe('tensors that stay in a worker', () => {
  const keeps = `
    const dropped = [];
    parent.on('message', (m) => {
      if (m.call === 'load') answer(m, loaded);
      if (m.call === 'drop') dropped.push(m.kept);
      if (m.call === 'steps') answer(m, dropped);
      if (m.call === 'read') answer(m, Float32Array.of(m.given));
      if (m.call !== 'run') return;
      const { feeds, kept: [, handle] } = m.given;
      if (handle === 0) for (;;);
      const at = handle ?? feeds[0][1].data[0];
      // Output 0, its handle, float32, one dimension of 1.
      answer(m, { outputs: [], kept: [0, at + 1, 1, 1, 1] });
    })`;
  const keep = ['x'];
  const kept = async (session: Session, at: number | Tensor) => {
    const feed = typeof at === 'number' ? new Tensor('float32', [at]) : at;
    return (await session.run({ x: feed }, { keep })).x as Tensor;
  };

  test('travel as handles, and what is disposed together is told in one message', async () => {
    workersDo(keeps);
    const session = await open();
    const first = await kept(session, 4);
    const second = await kept(session, first);
    expect([...(await second.getData())]).toEqual([6]);
    const third = await kept(session, second);
    for (const tensor of [first, second, second]) tensor.dispose();
    await third.getData();
    third.dispose();
    await Promise.resolve();
    expect(await session.steps()).toEqual([[5, 6], [7]]);
  });

  test('are gone with a worker that had to be ended, and say so', async () => {
    workersDo(keeps);
    const session = await open();
    const [old, zero] = [await kept(session, 4), await kept(session, -1)];
    const hanging = session.run({ x: zero }, { keep, signal: AbortSignal.timeout(20) });
    await expect(hanging).rejects.toMatchObject({ code: 'cancelled' });
    // The next run finds another worker.
    const fresh = await kept(session, 1);
    expect([...(await fresh.getData())]).toEqual([2]);
    const gone = {
      code: 'session_closed',
      message: expect.stringContaining('a cancelled run would not stop, and its worker was ended'),
    };
    await expect(old.getData()).rejects.toMatchObject(gone);
    await expect(kept(session, old)).rejects.toMatchObject({ ...gone, input: 'x' });
    old.dispose();
    expect(await session.steps()).toEqual([]);
  });
});

describe('a run that never ends', () => {
  // As an endless loop in the engine: the worker hears nothing.
  const hangs = `
    parent.on('message', (m) => {
      if (m.call === 'load') answer(m, loaded);
      if (m.call === 'run' && m.given.feeds[0][1].data[0] === 1) for (;;);
      if (m.call === 'run') answer(m, { kept: [], outputs: m.given.feeds });
    })`;

  test('is cancelled within 50 ms, and the session loads its model again for the next run', async () => {
    workersDo(hangs);
    const session = await open();
    const controller = new AbortController();
    const run = session.run({ x: x() }, { signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const took = await milliseconds(async () => {
      controller.abort('enough');
      await expect(run).rejects.toMatchObject({ code: 'cancelled', name: 'AbortError', cause: 'enough' });
    });
    expect(took).toBeLessThan(50);
    const { x: y } = await session.run({ x: new Tensor('float32', [2]) });
    expect(y?.data).toEqual(Float32Array.of(2));
  });

  test('is cancelled, but a model of bytes is gone with its worker', async () => {
    workersDo(hangs);
    const session = await open(Uint8Array.of(1, 2, 3));
    await expect(session.run({ x: x() }, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(session.run({ x: x() })).rejects.toMatchObject({
      code: 'session_closed',
      message: expect.stringContaining('load it again'),
    });
  });

  test('does not keep release from returning', async () => {
    workersDo(hangs);
    const session = await open();
    const run = session.run({ x: x() });
    const outcome = expect(run).rejects.toMatchObject({ code: 'session_closed' });
    expect(await milliseconds(() => session.release())).toBeLessThan(2000);
    await outcome;
  });

  test('is stopped by the flag in shared memory, without a new worker', async () => {
    // A run lasts until the word is not zero.
    workersDo(`
      const flag = new Int32Array(new SharedArrayBuffer(64));
      let loads = 0;
      parent.on('message', (m) => {
        if (m.call === 'load') answer(m, { ...loaded, cancelFlag: { memory: flag.buffer, address: 8 } });
        if (m.call !== 'run') return;
        if (m.given.feeds[0][1].data[0] === 2) return answer(m, { kept: [], outputs: m.given.feeds });
        Atomics.store(flag, 2, 0);
        while (Atomics.load(flag, 2) === 0) Atomics.wait(flag, 2, 0, 5);
        parent.postMessage({ id: m.id, failed: { code: 'cancelled', message: 'The run was cancelled.' }, fatal: false });
      })`);
    const session = await open(Uint8Array.of(1, 2, 3));
    for (let round = 0; round < 3; round++) {
      const signal = AbortSignal.timeout(30);
      await expect(session.run({ x: x() }, { signal })).rejects.toMatchObject({
        code: 'cancelled',
        name: 'AbortError',
      });
      expect((await session.run({ x: new Tensor('float32', [2]) })).x?.data).toEqual(Float32Array.of(2));
    }
  });
});

describe('callbacks that throw', () => {
  const errors = vi.spyOn(console, 'error');
  beforeEach(() => errors.mockReset().mockImplementation(() => {}));

  test.each([
    [
      'at once',
      () => {
        throw new Error('oops');
      },
    ],
    [
      'later',
      async () => {
        throw new Error('oops');
      },
    ],
  ])('%s are reported, and the call goes on', async (_, callback) => {
    workersDo(`parent.on('message', (m) => {
      if (m.call === 'load') { parent.postMessage({ id: m.id, progress: { loaded: 1 } }); answer(m, loaded); }
      if (m.call === 'run') answer(m, { kept: [], outputs: m.given.feeds, profile: { milliseconds: 1, steps: [] } });
    })`);
    const session = await Session.load('http://localhost/m.onnx', { wasm, worker: true, onProgress: callback });
    sessions.push(session);
    expect((await session.run({ x: x() }, { profile: callback })).x?.data).toEqual(Float32Array.of(1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(errors.mock.calls.map(([text]) => text)).toEqual([
      expect.stringContaining('"onProgress"'),
      expect.stringContaining('"profile"'),
    ]);
  });
});

describe('a session that nobody refers to any more', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const beats = `
    parent.on('message', (m) => { if (m.call === 'load') answer(m, loaded); });
    const channel = new BroadcastChannel('beats of ${process.pid}');
    channel.unref();
    setInterval(() => channel.postMessage(1), 5);`;

  /** Whether the workers of this test live: whether their beats are heard. */
  async function alive(): Promise<boolean> {
    const channel = new BroadcastChannel(`beats of ${process.pid}`);
    let beat = false;
    channel.onmessage = () => {
      beat = true;
    };
    await new Promise((resolve) => setTimeout(resolve, 300));
    channel.close();
    return beat;
  }

  test('ends with its worker', async () => {
    workersDo(beats);
    let session: Session | undefined = await load();
    collect();
    expect(await alive()).toBe(true);
    expect(session.inputs).toHaveLength(1);
    session = undefined;
    await vi.waitFor(
      async () => {
        collect();
        expect(await alive()).toBe(false);
      },
      { timeout: 10_000 },
    );
  }, 20_000);
});

test('inputs are taken at the moment of the call, also by runs that wait', async () => {
  workersDo(`parent.on('message', (m) => {
    if (m.call === 'load') answer(m, loaded);
    if (m.call === 'run') answer(m, { kept: [], outputs: m.given.feeds });
  })`);
  const session = await open();
  const data = Float32Array.of(1);
  const runs = [1, 2, 3].map((value) => {
    data[0] = value;
    return session.run({ x: new Tensor('float32', data) });
  });
  data[0] = 9;
  expect((await Promise.all(runs)).map(({ x: y }) => y?.data)).toEqual([1, 2, 3].map((v) => Float32Array.of(v)));
});
