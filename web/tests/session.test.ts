import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine } from '../src/engine/engine.js';
import { NeuromancerError, type Profile, type Progress, Session, Tensor } from '../src/index.js';
import { State } from '../src/stream/state.js';
import { FakeEngine } from './fake-engine.js';

const fake = vi.hoisted(() => ({ engine: undefined as unknown as FakeEngine, stopped: 0, starting: false }));

vi.mock('../src/engine/instance.js', () => ({
  threadCount: () => 1,
  instantiate: async () => ({
    engine: new Engine(fake.engine.exports),
    threads: 1,
    threadsStarting: () => fake.starting,
    leave: () => (fake.stopped += 1),
  }),
}));

const wasm = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
const model = Uint8Array.of(1, 2, 3, 4);
const float = (values: number[]) => new Tensor('float32', Float32Array.from(values), [values.length]);

beforeEach(() => {
  fake.stopped = 0;
  fake.starting = false;
  const x = { name: 'x', type: 'float32', shape: ['n'] };
  const names = { name: 'names', type: 'string', shape: [2, null], optional: true };
  fake.engine = new FakeEngine({ inputs: [x, names], outputs: [x, names], steps: 3 });
});

describe('metadata', () => {
  test('comes as the model declares it, in any script', async () => {
    const session = await Session.load(model, { wasm });
    expect(session.model.name).toBe('größe 🧠');
    expect(session.inputs.map(({ name }) => name)).toEqual(['x', 'names']);
    expect(session.outputs[0]?.shape).toEqual(['n']);
    expect(session.engine).toMatchObject({ artefact: 'wasm', threads: 1 });
    expect(await session.memory()).toEqual({ heap: 1, weights: 2, arena: 3, arenaBound: 3, scratch: 0, peak: 4 });
  });

  test('external data reaches the engine by path', async () => {
    await Session.load(model, { wasm, externalData: { 'weights/ä.bin': new TextEncoder().encode('payload') } });
    expect([...fake.engine.bytesOf('')]).toEqual([...model]);
    expect(fake.engine.bytesOf('weights/ä.bin').toString()).toBe('payload');
    expect(fake.engine.files.get('weights/ä.bin')?.size).toBe(7);
  });

  test('limits reach the engine by name; Infinity is none', async () => {
    await Session.load(model, { wasm, limits: { rounds: 7, bytes: Number.POSITIVE_INFINITY, nodes: 0 } });
    expect(Object.fromEntries(fake.engine.limits)).toEqual({ rounds: 7, bytes: -1, nodes: 0 });
  });

  test('a large model goes in piece by piece, from whatever holds it', async () => {
    const bytes = Uint8Array.from({ length: 700_000 }, (_, i) => i % 251);
    const announced = { headers: { 'content-length': String(bytes.length) } };
    const sources = [bytes, bytes.buffer, new Blob([bytes]), new Response(bytes, announced), new Response(bytes)];
    for (const [i, source] of sources.entries()) {
      const seen: Progress[] = [];
      await Session.load(source, { wasm, onProgress: (progress) => seen.push(progress) });
      const size = i < 4 ? bytes.length : 0; // the last does not say how long it is
      expect(fake.engine.files.get('')?.size).toBe(size);
      expect(fake.engine.bytesOf('').equals(bytes)).toBe(true);
      expect(seen.at(-1)).toEqual(
        size > 0 ? { phase: 'prepare', loaded: bytes.length, total: size } : { phase: 'prepare', loaded: bytes.length },
      );
      expect(fake.engine.live.size).toBe(0);
    }
  });

  test('a download that ends early is neither loaded nor read on', async () => {
    let stopped = false;
    const download = (pull: (controller: ReadableStreamDefaultController) => void) =>
      new Response(
        new ReadableStream({
          pull,
          cancel: () => {
            stopped = true;
          },
        }),
      );
    const broken = download((controller) => controller.error(new Error('the line went dead')));
    await expect(Session.load(broken, { wasm })).rejects.toMatchObject({
      code: 'download_failed',
      message: 'Reading the model failed: the line went dead',
    });
    const controller = new AbortController();
    const endless = download((stream) => stream.enqueue(new Uint8Array(1000)));
    const onProgress = ({ loaded }: Progress) => void (loaded > 5000 && controller.abort());
    await expect(Session.load(endless, { wasm, onProgress, signal: controller.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(stopped).toBe(true);
    expect(fake.engine.loads).toBe(0);
  });

  test("a refused model gives the engine's own error", async () => {
    await expect(Session.load(new Uint8Array(3), { wasm })).rejects.toMatchObject({
      code: 'invalid_model',
      message: 'Three bytes are no model.',
    });
  });
});

describe('run', () => {
  test('numbers and strings go in and come out, and no temporary is left', async () => {
    const session = await Session.load(model, { wasm });
    const names = new Tensor('string', ['', 'Zürich', '東京', 'b'], [2, 2]);
    const outputs = await session.run({ x: float([1.5, -2]), names });
    expect(outputs.x?.data).toEqual(Float32Array.of(1.5, -2));
    expect(outputs.names?.data).toEqual(['', 'Zürich', '東京', 'b']);
    expect(outputs.names?.shape).toEqual([2, 2]);
    expect(fake.engine.live.size).toBe(0);
  });

  test('threads that are starting get a turn of the event loop even from a caller that never gives one', async () => {
    const session = await Session.load(model, { wasm });
    fake.starting = true;
    setImmediate(() => {
      fake.starting = false;
    });
    for (let run = 0; run < 3; run++) await session.run({ x: float([1]) });
    expect(fake.starting).toBe(false);
  });

  test('only the outputs that are asked for are read', async () => {
    const session = await Session.load(model, { wasm });
    const feeds = { x: float([1]), names: new Tensor('string', ['a', 'b'], [2, 1]) };
    expect(Object.keys(await session.run(feeds, { fetch: ['names'] }))).toEqual(['names']);
    expect(await session.run(feeds, { fetch: [] })).toEqual({});
    await expect(session.run(feeds, { fetch: ['name'] })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'The model has no output "name"; its outputs are "x", "names". Did you mean "names"?',
    });
  });

  test('warming up runs on zeros of the sizes that are given, or of one', async () => {
    const session = await Session.load(model, { wasm });
    await session.warmup({ n: 3 });
    expect(fake.engine.inputSizes).toEqual([3]);
    await session.warmup();
    expect(fake.engine.inputSizes).toEqual([3, 1]);
    expect((await session.run({ x: float([1]) })).x?.size).toBe(1);
  });

  test('"using" releases', async () => {
    const session = await Session.load(model, { wasm });
    await session[Symbol.asyncDispose]();
    expect(fake.stopped).toBe(1);
    const other = await Session.load(model, { wasm });
    other[Symbol.dispose]();
    await expect(other.run({ x: float([1]) })).rejects.toMatchObject({ code: 'session_closed' });
  });

  test('an output that the model left out is absent', async () => {
    const session = await Session.load(model, { wasm });
    expect(Object.keys(await session.run({ x: float([1]) }))).toEqual(['x']);
  });

  test('copies are independent of the engine, views are not', async () => {
    const session = await Session.load(model, { wasm });
    const copy = (await session.run({ x: float([1]) })).x?.data as Float32Array;
    expect(copy.buffer).not.toBe(fake.engine.memory.buffer);
    const view = (await session.run({ x: float([1]) }, { outputs: 'view' })).x?.data as Float32Array;
    expect(view.buffer).toBe(fake.engine.memory.buffer);
  });

  test('a missing input is named, with the inputs there are', async () => {
    const session = await Session.load(model, { wasm });
    await expect(session.run({})).rejects.toMatchObject({
      code: 'missing_input',
      input: 'x',
      message:
        'The run needs the input "x", not given; the model\'s inputs are "x" (float32[n]), "names" (string[2,?]).',
    });
  });

  test('an unknown input is named, with the inputs there are', async () => {
    const session = await Session.load(model, { wasm });
    await expect(session.run({ x: float([1]), y: float([1]) })).rejects.toThrow(
      'The model has no input "y"; its inputs are',
    );
  });

  test("the engine's error keeps its place", async () => {
    const session = await Session.load(model, { wasm });
    const record = {
      code: 'shape_mismatch',
      message: 'No.',
      operator: 'Conv',
      node: 'c1',
      input: 'x',
      expected: 'a',
      actual: 'b',
    };
    fake.engine.failure = JSON.stringify(record);
    const error = await session.run({ x: float([1]) }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NeuromancerError);
    expect((error as NeuromancerError).toRecord()).toEqual(record);
    await session.run({ x: float([1]) }); // and the session goes on
  });

  test('profile gives a time per step', async () => {
    const session = await Session.load(model, { wasm });
    let profile: Profile | undefined;
    await session.run({ x: float([1]) }, { profile: (p) => (profile = p) });
    expect(profile?.steps.map(({ node }) => node)).toEqual(['n0', 'n1', 'n2']);
    expect(profile?.steps.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  });

  test('an aborted signal stops before the run, and the session goes on', async () => {
    const session = await Session.load(model, { wasm });
    const signal = AbortSignal.abort('enough');
    await expect(session.run({ x: float([1]) }, { signal })).rejects.toMatchObject({
      code: 'cancelled',
      name: 'AbortError',
      cause: 'enough',
    });
    expect((await session.run({ x: float([1]) })).x?.size).toBe(1);
  });
});

describe('kept outputs', () => {
  const feeds = () => ({ x: float([1, 2]), names: new Tensor('string', ['a', 'b'], [2, 1]) });

  test('of every type are owned until they are disposed, and get memory of their own once', async () => {
    const session = await Session.load(model, { wasm });
    const outputs = await session.run(feeds(), { keep: ['*'] });
    await session.run(feeds(), { keep: ['*'], fetch: [] }).then(({ x, names }) => [x, names].map((t) => t?.dispose()));
    expect(fake.engine.kept).toEqual([0, 1]);
    expect(fake.engine.owned.size).toBe(2);
    expect(outputs.names?.data).toEqual(['a', 'b']);
    expect(await outputs.x?.getData()).toEqual(Float32Array.of(1, 2));
    await session.run({ ...feeds(), x: outputs.x as Tensor });
    outputs.x?.dispose();
    outputs.names?.dispose();
    expect(fake.engine.owned.size).toBe(0);
    expect(fake.engine.live.size).toBe(0);
  });

  test('that the model left out are absent, and those it refuses halfway leave nothing behind', async () => {
    const session = await Session.load(model, { wasm });
    expect(Object.keys(await session.run({ x: float([1]) }, { keep: ['*'] }))).toEqual(['x']);
    const before = fake.engine.owned.size;
    fake.engine.refused = 1;
    await expect(session.run(feeds(), { keep: ['*'] })).rejects.toMatchObject({ code: 'out_of_memory' });
    expect(fake.engine.owned.size).toBe(before);
    fake.engine.refused = -1;
    expect(Object.keys(await session.run(feeds(), { keep: ['*'] }))).toEqual(['x', 'names']);
  });

  test("a stream's state is taken whole or not at all", async () => {
    const session = await Session.load(model, { wasm });
    const part = (input: number, name: string) => ({ input, output: input, name, axis: input === 0 ? 0 : undefined });
    const parts = [part(0, 'x'), part(1, 'names')];
    const form = { parts, inputs: new Set([0, 1]), outputs: new Set([0, 1]) };
    const first = new State(form);
    await expect(session.runFrom({ x: float([1]) }, {}, first)).rejects.toMatchObject({
      code: 'invalid_model',
      message: 'The model left its state "names" out.',
    });
    fake.engine.refused = 1;
    await expect(session.runFrom(feeds(), {}, first)).rejects.toMatchObject({ code: 'out_of_memory' });
    expect(fake.engine.owned.size).toBe(0);
    fake.engine.refused = -1;
    const state = (await session.runFrom(feeds(), {}, first)).state as State;
    expect(state.length).toBe(2);
    expect(fake.engine.owned.size).toBe(2);
    const fork = state.share();
    const next = (await session.runFrom({}, { fetch: [] }, state)).state as State;
    expect(fake.engine.owned.size).toBe(4);
    for (const held of [state, fork]) {
      held.dispose();
      held.dispose();
    }
    expect(fake.engine.owned.size).toBe(2);
    next.dispose();
    expect(fake.engine.owned.size).toBe(0);
    expect(fake.engine.live.size).toBe(0);
  });

  test('do not ask a broken engine for anything', async () => {
    const session = await Session.load(model, { wasm });
    const { x } = await session.run({ x: float([1]) }, { keep: ['x'] });
    const owned = fake.engine.owned.size;
    fake.engine.failure = 'trap';
    await expect(session.run({ x: x as Tensor })).rejects.toMatchObject({ code: 'internal' });
    expect(() => x?.data).toThrow('its session was broken by an earlier error');
    x?.dispose();
    expect(fake.engine.owned.size).toBe(owned);
  });

  test('as inputs that wait behind other runs are owned until these are over', async () => {
    const session = await Session.load(model, { wasm });
    const { x } = await session.run({ x: float([5]) }, { keep: ['x'] });
    const late = new AbortController();
    const runs = [session.run({ x: x as Tensor }), session.run({ x: x as Tensor }, { signal: late.signal })];
    x?.dispose();
    late.abort();
    const [first, second] = await Promise.allSettled(runs);
    expect(first).toMatchObject({ value: { x: { data: Float32Array.of(5) } } });
    expect(second).toMatchObject({ reason: { code: 'cancelled' } });
    expect(fake.engine.owned.size).toBe(0);
  });
});

describe('the end', () => {
  test('a trap is an internal error and closes this session alone', async () => {
    const session = await Session.load(model, { wasm });
    fake.engine.failure = 'trap';
    await expect(session.run({ x: float([1]) })).rejects.toMatchObject({ code: 'internal' });
    await expect(session.run({ x: float([1]) })).rejects.toMatchObject({ code: 'session_closed' });
    await session.release();
    expect(fake.stopped).toBe(1);
    fake.engine.failure = undefined;
    const other = await Session.load(model, { wasm });
    expect((await other.run({ x: float([1]) })).x?.size).toBe(1);
  });

  test('a trap for want of memory says so', async () => {
    const session = await Session.load(model, { wasm });
    fake.engine.failure = 'trap';
    fake.engine.exhausted = true;
    await expect(session.run({ x: float([1]) })).rejects.toMatchObject({ code: 'out_of_memory' });
    await expect(session.run({ x: float([1]) })).rejects.toMatchObject({ code: 'session_closed' });
    expect(fake.stopped).toBe(1);
  });

  test('release waits for runs under way, may be called twice, and closes', async () => {
    const session = await Session.load(model, { wasm });
    const run = session.run({ x: float([4]) });
    await Promise.all([session.release(), session.release()]);
    expect((await run).x?.data).toEqual(Float32Array.of(4));
    expect(fake.stopped).toBe(1);
    await expect(session.run({ x: float([1]) })).rejects.toMatchObject({ code: 'session_closed' });
  });
});
