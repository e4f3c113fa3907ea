// Sessions that share an instance of the engine.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Session, Tensor } from '../dist/index.js';
import { type Stream, stream } from '../dist/stream.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';
import { loopFeeds, loopInputs, sineLoop } from './sine-loop.js';

const digits = readFileSync(new URL('../../models/handwriting/handwriting.onnx', import.meta.url));
const image = new Tensor(
  'float32',
  Float32Array.from({ length: 784 }, (_, i) => Math.abs(Math.sin(i))),
  [1, 1, 28, 28],
);
const one = { artefact: 'wasm', threads: 1 } as const;
const shared = { ...one, shared: true } as const;
const heap = async (session: Session) => (await session.memory()).heap;

/** A state that grows from run to run. */
const adder = modelOf(
  [{ op: 'Concat', inputs: ['past', 'x'], outputs: ['present'], attributes: { axis: 0 } }],
  { past: 'float32[n]', x: 'float32[m]' },
  { present: 'float32[k]' },
);
const ofLength = (length: number) => new Tensor('float32', new Float32Array(length).fill(1), [length]);

describe.skipIf(!built('wasm'))('sessions that share an instance', () => {
  const sessions: Session[] = [];
  const load = async (model: Uint8Array = digits, options: object = {}) => {
    const session = await Session.load(model, { ...shared, ...options });
    sessions.push(session);
    return session;
  };
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
    vi.restoreAllMocks();
  });

  test('give what sessions of their own give, and keep no memory between runs', async () => {
    const own = await Session.load(digits, one);
    const { probabilities } = await own.run({ image });
    const first = await load();
    const idle = await heap(first);
    const [second, third] = [await load(), await load()];
    const cost = ((await heap(first)) - idle) / 2;
    expect(cost).toBeLessThan((await second.memory()).weights + 40_000);
    for (const session of [third, first, second, first]) {
      expect((await session.run({ image })).probabilities?.data).toEqual(probabilities?.data);
      expect(await session.memory()).toMatchObject({ arena: 0, scratch: 0 });
      expect((await session.steps()).length).toBeGreaterThan(0);
    }
    expect(((await heap(first)) - idle) / 2).toBeLessThan(cost + 40_000); // plans
    await own.release();
  });

  test('run at the same time, in slices too', async () => {
    const all = await Promise.all([load(), load(), load()]);
    const alone = (await (all[0] as Session).run({ image })).probabilities?.data;
    const { signal } = new AbortController();
    const runs = all.flatMap((session) => [session.run({ image }), session.run({ image }, { signal })]);
    for (const { probabilities } of await Promise.all(runs)) expect(probabilities?.data).toEqual(alone);
  });

  test('give their memory back when they are released, kept values and failed loads as well', async () => {
    const stays = await load();
    await stays.run({ image });
    const release = async (use: (session: Session) => Promise<unknown>, model?: Uint8Array) => {
      const session = await Session.load(model ?? digits, shared);
      await use(session);
      await session.release();
    };
    await release((session) => session.run({ image }));
    const before = await heap(stays);
    await release((session) => session.run({ image }));
    let left: Tensor | undefined;
    await release(async (session) => {
      const { present } = await session.run({ past: ofLength(50_000), x: ofLength(1) }, { keep: ['present'] });
      left = present;
      await session.keep(ofLength(10_000));
      expect(await heap(stays)).toBeGreaterThan(before + 200_000);
    }, adder);
    expect(() => left?.data).toThrow('its session was released');
    left?.dispose();
    let cache: Stream | undefined;
    await release(async (session) => {
      cache = stream(session, { state: { past: 'present' } });
      await cache.run({ x: ofLength(50_000) });
      expect(await heap(stays)).toBeGreaterThan(before + 200_000);
    }, adder);
    cache?.dispose();
    for (const bad of [digits.subarray(0, 100_000), Uint8Array.of(1, 2, 3)]) {
      await expect(Session.load(bad, shared)).rejects.toMatchObject({ code: 'invalid_model' });
    }
    const broken = new ReadableStream({
      pull(to) {
        to.enqueue(digits.subarray(0, 60_000));
        to.error(new Error('the line is dead'));
      },
    });
    await expect(Session.load(new Response(broken), shared)).rejects.toThrow('the line is dead');
    expect(await heap(stays)).toBe(before);
    await stays.run({ image });
  });

  test('are released in the middle of a run', async () => {
    const stays = await load();
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const operators = [
      {
        name: 'Wait',
        domain: 'test',
        outputs: [{ like: 0 }],
        run: () => {
          answer();
          return new Promise<never>(() => {});
        },
      },
    ];
    const waits = modelOf(
      [{ op: 'Wait', domain: 'test', inputs: ['x'], outputs: ['y'] }],
      { x: 'float32[n]' },
      { y: 'float32[n]' },
      { domains: ['test'] },
    );
    const before = await heap(stays);
    const session = await Session.load(waits, { ...shared, operators });
    const run = session.run({ x: ofLength(100_000) });
    run.catch(() => {});
    await asked;
    await session.release();
    await expect(run).rejects.toMatchObject({ code: 'session_closed' });
    expect(await heap(stays)).toBe(before);
  });

  test('end a run that goes on a second after its session was released, and keep nothing of it', async () => {
    const stays = await load();
    const before = await heap(stays);
    const loop = modelOf([sineLoop('x')], { ...loopInputs, x: 'float32' }, { y: 'float32' });
    const session = await Session.load(loop, shared);
    const feeds = { ...loopFeeds(2n ** 62n), x: ofLength(50_000) };
    const run = session.run(feeds, { keep: ['y'], signal: new AbortController().signal });
    run.catch(() => {});
    await session.release();
    await expect(run).rejects.toMatchObject({ code: 'session_closed' });
    expect(await heap(stays)).toBe(before);
  });

  test('keep nothing of a run that fails', async () => {
    const session = await load(
      modelOf(
        [
          { op: 'Neg', inputs: ['x'], outputs: ['n'] },
          { op: 'Gather', inputs: ['n', 'i'], outputs: ['y'] },
        ],
        { x: 'float32[n]', i: 'int64[1]' },
        { y: 'float32[1]' },
      ),
    );
    const at = (index: bigint) => ({ x: ofLength(1000), i: new Tensor('int64', [index], [1]) });
    expect((await session.run(at(2n))).y?.data).toEqual(Float32Array.of(-1));
    const before = await heap(session);
    await expect(session.run(at(1000n))).rejects.toMatchObject({ code: 'invalid_data' });
    expect(await session.memory()).toMatchObject({ arena: 0, heap: before });
    expect((await session.run(at(2n))).y?.data).toEqual(Float32Array.of(-1));
  });

  test('views last until the next run', async () => {
    const [session, other] = [await load(), await load()];
    const copy = (await session.run({ image })).probabilities?.data;
    const { probabilities } = await session.run({ image }, { outputs: 'view' });
    expect(probabilities?.data).toEqual(copy);
    expect((await session.memory()).arena).toBeGreaterThan(0);
    await other.run({ image });
    await session.run({ image });
    expect((await session.memory()).arena).toBe(0);
  });

  test('end together when one of them traps, and new ones begin anew', async () => {
    let trap = false;
    const { instantiate } = WebAssembly;
    vi.spyOn(WebAssembly, 'instantiate').mockImplementation((async (module: WebAssembly.Module, imports: object) => {
      const { exports } = await instantiate(module, imports as WebAssembly.Imports);
      const nm_run = (session: number) => {
        if (trap) throw new WebAssembly.RuntimeError('unreachable');
        return (exports.nm_run as CallableFunction)(session);
      };
      return { exports: { ...exports, nm_run } };
    }) as never);
    const [session, other] = [await load(), await load(adder)];
    const { present } = await other.run({ past: ofLength(3), x: ofLength(1) }, { keep: ['present'] });
    trap = true;
    await expect(session.run({ image })).rejects.toMatchObject({ code: 'internal' });
    trap = false;
    await expect(other.run({ past: ofLength(3), x: ofLength(1) })).rejects.toMatchObject({
      code: 'session_closed',
      message: expect.stringContaining('stopped by an error of another session'),
    });
    expect(() => present?.data).toThrow('was broken by an earlier error');
    const anew = await load();
    await anew.run({ image });
  });

  test('are in this thread, and have one memory', async () => {
    await expect(Session.load(digits, { ...shared, worker: true })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('"shared" and "worker" exclude each other'),
    });
    await expect(Session.load(digits, { ...shared, limits: { bytes: 1e6 } })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('limits.bytes'),
    });
    const limited = await load(digits, { limits: { nodes: 1000 } });
    await limited.run({ image });
  });

  test.skipIf(!built('wasm-threads'))('share threads', async () => {
    const threaded = { artefact: 'wasm-threads', threads: 2 };
    const [a, b] = [await load(digits, threaded), await load(digits, threaded)];
    expect(a.engine.threads).toBe(2);
    expect((await a.run({ image })).probabilities?.data).toEqual((await b.run({ image })).probabilities?.data);
    await a.release();
    await b.run({ image });
  });
});
