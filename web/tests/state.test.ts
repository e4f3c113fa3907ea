// What a stream's state is inside: one value that goes from run to run, whatever becomes of the runs.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { NeuromancerError, Session, Tensor } from '../dist/index.js';
import { type Stream, stream } from '../dist/stream.js';
import type { Session as SourceSession } from '../src/api/session.js';
import { pairsByName } from '../src/stream/pairs.js';
import { formOf, State } from '../src/stream/state.js';
import { collectGarbage } from './garbage.js';
import { messageBytes } from './messages.js';
import { modelOf, type NodeSpec } from './onnx-writer.js';
import { built, places } from './places.js';
import { loopFeeds, loopInputs, sineLoop } from './sine-loop.js';
import { merged, nextWord } from './toy-decoders.js';

/** Runs and states, of which the package's declarations say nothing. */
type Inner = Pick<SourceSession, 'runFrom' | 'partsOf' | 'inputs' | 'outputs'>;
const inner = (session: Session) => session as unknown as Inner;

/** Each cache is past and then x; y is their sum, which a loop takes the sine of so many times. */
const caches = (count: number, width = 1) => {
  const all = Array.from({ length: count }, (_, i) => i);
  const each = (name: string, type: string) => Object.fromEntries(all.map((i) => [`${name}_${i}`, type]));
  const sums: NodeSpec[] = all.flatMap((i) => [
    { op: 'Concat', inputs: [`past_${i}`, 'x'], outputs: [`present_${i}`], attributes: { axis: 1 } },
    { op: 'ReduceSum', inputs: [`present_${i}`], outputs: [`sum_${i}`], attributes: { keepdims: 0 } },
  ]);
  return modelOf(
    [...sums, { op: 'Sum', inputs: all.map((i) => `sum_${i}`), outputs: ['sum'] }, sineLoop('sum')],
    {
      x: `float32[batch,n,${width}]`,
      ...loopInputs,
      ...each('past', `float32[batch,past,${width}]`),
    },
    { y: 'float32', ...each('present', `float32[batch,total,${width}]`) },
  );
};
const feeds = (values: number[], { width = 1, rounds = 0n } = {}) => ({
  x: new Tensor('float32', values, [1, values.length / width, width]),
  ...loopFeeds(rounds),
});

const pasts = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`past_${i}`, new Tensor('float32', [], [1, 0, 1])]));

describe.each(places)('$name', ({ options }) => {
  const skip = !built(options.artefact);
  const inWorker = 'worker' in options;
  const sessions: Session[] = [];
  const open = async (model: Uint8Array = caches(2)) => {
    const session = await Session.load(new Blob([model as Uint8Array<ArrayBuffer>]), options);
    sessions.push(session);
    return session;
  };
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
  });
  const sum = async (on: Stream, values: number[]) => ((await on.run(feeds(values))).y as Tensor).toFloat32()[0];
  const heapOf = async (session: Session) => (await session.memory()).heap;

  test.skipIf(skip)('forks grow on both sides, behind a cut too', async () => {
    const one = stream(await open());
    expect(await sum(one, [1, 2, 3])).toBe(12);
    const two = one.fork();
    expect(await Promise.all([sum(one, [10]), sum(two, [20])])).toEqual([32, 52]);
    await one.truncate(2);
    const three = one.fork();
    expect(await Promise.all([sum(one, [4]), sum(three, [5]), sum(two, [6])])).toEqual([14, 16, 64]);
    one.dispose();
    two.dispose();
    expect([await sum(three, [1]), three.length]).toEqual([18, 4]);
  });

  test.skipIf(skip)('a run that is refused, or cancelled, leaves it as it was', async () => {
    const session = await open();
    const cache = stream(session);
    await sum(cache, [1, 2]);
    const fork = cache.fork();
    await expect(cache.run({ ...feeds([3]), go: new Tensor('int32', [1], []) })).rejects.toMatchObject({
      code: 'type_mismatch',
    });
    for (const x of [3, 4]) {
      const signal = AbortSignal.timeout(60);
      await expect(cache.run(feeds([x], { rounds: 2n ** 62n }), { signal })).rejects.toMatchObject({
        code: 'cancelled',
      });
    }
    expect(cache.length).toBe(2);
    expect(await Promise.all([sum(cache, [5]), sum(fork, [6])])).toEqual([16, 18]);
    expect(cache.length).toBe(3);
  });

  test.skipIf(skip)('a stream may be disposed while its run waits for another one', async () => {
    const width = 1024;
    const session = await open(caches(4, width));
    const ones = (rows: number) => feeds(Array(rows * width).fill(1), { width });
    const [first, second] = [stream(session), stream(session)];
    await Promise.all([first.run(ones(1)), second.run(ones(1))]);
    const before = await heapOf(session);
    const fork = second.fork();
    await fork.run(ones(100));
    const runs = [first.run(ones(1)), fork.run(ones(1))];
    fork.dispose();
    const [, last] = await Promise.all(runs);
    expect(last?.y?.toFloat32()[0]).toBe(4 * 102 * width);
    await expect(fork.run(ones(1))).rejects.toMatchObject({ code: 'session_closed' });
    // Four caches of a hundred rows are 1.6 MB. The inputs and outputs of the run before go with this one.
    await first.run(ones(1));
    const { heap, arena } = await session.memory();
    expect(heap - arena - before).toBeLessThan(1_000_000);
  });

  // V8 may collect by itself before anybody looks; then there was nothing to see.
  test.skipIf(skip)('of a stream that nobody refers to any more it is collected', { retry: 3 }, async () => {
    const width = 64;
    const session = await open(caches(4, width));
    const rows = 2000;
    const once = async () => {
      await stream(session).run(feeds(Array(rows * width).fill(1), { width }));
    };
    await once();
    const before = await heapOf(session);
    for (let i = 0; i < 5; i++) await once();
    const bytes = 4 * 4 * rows * width;
    expect(await heapOf(session)).toBeGreaterThan(before + 2 * bytes);
    await vi.waitFor(async () => {
      collectGarbage();
      expect(await heapOf(session)).toBeLessThan(before + bytes);
    }, 5000);
  });

  test.skipIf(skip)('what is computed once stays, and is saved and forked with the rest', async () => {
    const session = await open(merged);
    const source = [4, 6];
    const given = {
      encoder_hidden_states: new Tensor('float32', source, [1, 2, 1]),
      encoder_attention_mask: new Tensor('int64', [1, 1], [1, 2]),
    };
    const ids: number[] = [];
    const read = async (cache: Stream, id: number) => {
      const { logits, ...rest } = await cache.run({
        ...given,
        input_ids: new Tensor('int64', [id], [1, 1]),
        use_cache_branch: new Tensor('bool', [cache.length > 0], [1]),
      });
      expect(rest).toEqual({});
      return logits?.argmax();
    };
    // Places are not in this one.
    const expected = (all: number[]) => (nextWord(all) - (all.length - 1) + 10 + 23) % 23;
    const cache = stream(session);
    for (const id of [3, 1, 2]) {
      ids.push(id);
      expect(await read(cache, id)).toBe(expected(ids));
    }
    const fork = cache.fork();
    const bytes = await cache.save();
    await fork.truncate(1);
    expect(await read(fork, 5)).toBe(expected([3, 5]));
    await fork.restore(bytes);
    cache.dispose();
    expect(await read(fork, 6)).toBe(expected([3, 1, 2, 6]));
    expect(await read(fork, 1)).toBe(expected([3, 1, 2, 6, 1]));
  });

  test.skipIf(skip)('is refused by another session, and once it was given back', async () => {
    const [session, other] = [await open(), await open()];
    const form = formOf(session as unknown as SourceSession, pairsByName(session));
    const { state } = await inner(session).runFrom({ ...feeds([1]), ...pasts(2) }, { fetch: [] }, new State(form));
    const own = state as State;
    expect(own.length).toBe(1);
    const parts = await inner(session).partsOf(own);
    expect(parts.map(({ shape, location }) => [shape, location])).toEqual(Array(2).fill([[1, 1, 1], 'engine']));
    for (const part of parts) part.dispose();
    await expect(inner(other).runFrom(feeds([2]), { fetch: [] }, own)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('stays in the engine of another session'),
    });
    await expect(inner(other).partsOf(own)).rejects.toMatchObject({ code: 'invalid_argument' });
    own.dispose();
    own.dispose();
    await expect(inner(session).runFrom(feeds([2]), {}, own)).rejects.toThrow('The state of a stream was disposed');
    await expect(inner(session).partsOf(own)).rejects.toBeInstanceOf(NeuromancerError);
  });

  test.runIf(!skip && inWorker)('nothing for each cache goes to the worker or comes from it', async () => {
    const bytes: number[] = [];
    for (const count of [1, 40]) {
      const cache = stream(await open(caches(count)));
      for (let i = 0; i < 3; i++) await sum(cache, [1]);
      const traffic = messageBytes();
      await sum(cache, [1]);
      await cache.run(feeds([1]));
      traffic.stop();
      bytes.push(traffic.bytes());
    }
    expect(bytes[1]).toBeLessThan((bytes[0] as number) + 16);
  });
});
