// State from run to run: found, carried, shared, cut and saved.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { modelFile, whyWithout } from '../../models/folder.js';
import { NeuromancerError, Session, Tensor } from '../dist/index.js';
import { stream } from '../dist/stream.js';
import type { ValueInfo } from '../src/api/description.js';
import { seeded } from '../src/generate/random.js';
import { foundPairs, namedPairs } from '../src/stream/pairs.js';
import { fromBytes, toBytes } from '../src/stream/saved.js';
import type { TensorLike } from '../src/values/tensor.js';
import { modelOf } from './onnx-writer.js';
import { built, places } from './places.js';
import { decoderOnly, nextWord, words } from './toy-decoders.js';

type Shape = readonly (number | string | null)[];
const info = (name: string, shape: Shape = [1, 2], type = 'float32'): ValueInfo => ({ name, type, shape });

describe('state found by name', () => {
  const cache: Shape = ['batch', 4, 'past_sequence_length', 8];
  const grown: Shape = ['batch', 4, 'past_sequence_length + sequence_length', 8];
  test.each([
    ['optimum', 'past_key_values.0.key', 'present.0.key', cache, grown, 2],
    ['optimum behind an encoder', 'past_key_values.1.decoder.value', 'present.1.decoder.value', cache, grown, 2],
    ['with places as names', 'past_key_values.0.key', 'present_key_values.0.key', cache, grown, 2],
    ['joined by underscores', 'past_key_values_3_key', 'present_3_key', cache, grown, 2],
    [
      'GPT-2',
      'past_0',
      'present_0',
      [2, 'batch_size', 4, 'past_seq_len', 8],
      [2, 'batch_size', 4, 'total_seq_len', 8],
      3,
    ],
    ['stories', 'past_k_0', 'present_k_0', ['batch', 4, 'past', 8], ['batch', 4, 'total', 8], 2],
    ['Whisper of genai', 'past_key_self_0', 'present_key_self_0', cache, grown, 2],
    ['unnamed sizes of a cache', 'past_1', 'present_1', [null, 4, null, 8], [null, 4, null, 8], 2],
    ['silero', 'state', 'stateN', [2, null, 128], [null, null, null], undefined],
    ['gtcrn', 'conv_cache', 'conv_cache_out', [2, 1, 16, 16, 33], [2, 1, 16, 16, 33], undefined],
    ['torch', 'h0', 'hn', [1, 'batch', 8], [1, 'batch', 8], undefined],
    ['a name for each way', 'cell_in', 'cell_out', [1, 8], [1, 8], undefined],
    ['new ones', 'h', 'new_h', [1, 8], [1, 8], undefined],
  ] as const)('%s', (_, input, output, from, to, axis) => {
    const inputs = [info('input_ids', ['batch', 'seq'], 'int64'), info(input, from), info('sr', [], 'int64')];
    const outputs = [info('logits', ['batch', 'seq', 9]), info(output, to)];
    const [pair, ...more] = foundPairs({ inputs, outputs });
    expect(more).toEqual([]);
    expect(pair).toMatchObject({ input: { name: input }, output });
    expect(pair?.axis).toBe(axis);
    expect(pair?.once).toBe(false);
  });

  test('what is made of an encoder’s output is computed once', () => {
    const name = 'past_key_values.0.encoder.key';
    const shape: Shape = ['batch', 4, 'encoder_sequence_length', 8];
    const [pair] = foundPairs({ inputs: [info(name, shape)], outputs: [info('present.0.encoder.key', shape)] });
    expect(pair).toMatchObject({ once: true, axis: 2 });
  });

  test('types and sizes have to fit, or it is no state', () => {
    const inputs = [info('x', [1, 3]), info('y', [4]), info('z', [2], 'int64')];
    const outputs = [info('x_out', [1, 4]), info('y_out', [4, 1]), info('z_out', [2], 'int32')];
    expect(() => foundPairs({ inputs, outputs })).toThrow(
      'No state was found by name among the inputs "x", "y", "z" and the outputs "x_out", "y_out", "z_out"; say what ' +
        "goes where: { state: { 'state_in': 'state_out' } }.",
    );
  });

  test('named by the caller, with a star for the same part', () => {
    const ports = {
      inputs: [info('a.0.k', cache), info('a.1.k', cache), info('b')],
      outputs: [info('z.0.k.z', grown), info('z.1.k.z', grown), info('c', [1, 3])],
    };
    expect(namedPairs(ports, { 'a.*': 'z.*.z' }).map(({ input, output }) => [input.name, output])).toEqual([
      ['a.0.k', 'z.0.k.z'],
      ['a.1.k', 'z.1.k.z'],
    ]);
    expect(() => namedPairs(ports, { 'a.*': 'z.*' })).toThrow('The model has no output "z.0.k" for its state');
    expect(() => namedPairs(ports, { 'd.*': 'z.*' })).toThrow('The model has no input "d.*" for its state');
    expect(() => namedPairs(ports, { b: 'c' })).toThrow(
      'Output "c" cannot be the next run\'s input "b": its shape is [1,3], not [1,2].',
    );
    expect(() => namedPairs(ports, {})).toThrow('names no state');
  });
});

describe('a state’s elements', () => {
  test('go into bytes and come back; bytes of anything else are refused', () => {
    const states = [
      ['a', { type: 'float32', data: Float32Array.of(1.5, -2, 3), shape: [3, 1] }],
      ['größe', { type: 'int64', data: BigInt64Array.of(-5n), shape: [] }],
      ['empty', { type: 'float16', data: new Uint16Array(0), shape: [1, 0] }],
    ] as const;
    const bytes = toBytes({ model: 'm', runs: 7, states });
    // From the middle of a larger buffer, where nothing is aligned.
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(fromBytes(moved.subarray(3))).toEqual({ model: 'm', runs: 7, states });
    for (const length of [0, 3, 8, 40, bytes.length - 8])
      expect(() => fromBytes(bytes.slice(0, length))).toThrow('no saved');
    expect(() => fromBytes(Uint8Array.of(...bytes, 0, 0, 0, 0, 0, 0, 0, 0))).toThrow('do not end where');
    const broken = bytes.slice();
    broken.set(new TextEncoder().encode('{"model":"m","runs":7,"states":[{"name":"a","type":"float33"'), 8);
    expect(() => fromBytes(broken)).toThrow('their description cannot be read');
  });
});

describe.each(places)('$name', ({ options }) => {
  const skip = !built(options.artefact);
  const sessions: Session[] = [];
  const open = async (model: Uint8Array | URL = decoderOnly) => {
    const session = await Session.load(model, options);
    sessions.push(session);
    return session;
  };
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
  });
  const feedsOf = (ids: number[], past: number, masked = past + ids.length) => ({
    input_ids: new Tensor('int64', ids, [1, ids.length]),
    attention_mask: new Tensor('int64', Array(masked).fill(1), [1, masked]),
    position_ids: new Tensor(
      'int64',
      ids.map((_, i) => past + i),
      [1, ids.length],
    ),
  });
  type Toy = Awaited<ReturnType<typeof stream>>;
  const read = async (cache: Toy, ids: number[]) => {
    const { logits, ...rest } = await cache.run(feedsOf(ids, cache.length));
    expect(rest).toEqual({});
    return (logits as Tensor).reshape([ids.length, -1]).toArray() as number[][];
  };
  const next = async (cache: Toy, ids: number[]) => {
    const last = (await read(cache, ids)).at(-1) as number[];
    return last.indexOf(Math.max(...last));
  };

  test.skipIf(skip)('a cache grows, begins anew, and is given back', async () => {
    const session = await open();
    const cache = stream(session);
    expect([cache.length, cache.state]).toEqual([0, ['past_key_values.0.key']]);
    expect(await next(cache, [5, 1, 2])).toBe(nextWord([5, 1, 2]));
    expect(cache.length).toBe(3);
    expect(await next(cache, [7])).toBe(nextWord([5, 1, 2, 7]));
    expect(cache.length).toBe(4);
    await cache.reset();
    expect(cache.length).toBe(0);
    expect(await next(cache, [9])).toBe(nextWord([9]));
    cache.dispose();
    cache.dispose();
    await expect(read(cache, [1])).rejects.toMatchObject({
      code: 'session_closed',
      message: expect.stringContaining('disposed'),
    });
    expect(() => cache.fork()).toThrow(NeuromancerError);
  });

  test.skipIf(skip)('the same by names that the caller gives', async () => {
    const cache = stream(await open(), { state: { 'past_key_values.*': 'present.*' }, dimensions: { batch: 1 } });
    expect(await next(cache, [5, 1])).toBe(nextWord([5, 1]));
    expect(await next(cache, [3])).toBe(nextWord([5, 1, 3]));
  });

  test.skipIf(skip)('forks share a beginning and grow apart', async () => {
    const one = stream(await open());
    await read(one, [4, 4]);
    const two = one.fork();
    expect(await next(one, [1])).toBe(nextWord([4, 4, 1]));
    expect(await next(two, [2, 3])).toBe(nextWord([4, 4, 2, 3]));
    expect([one.length, two.length]).toEqual([3, 4]);
    one.dispose();
    expect(await next(two, [6])).toBe(nextWord([4, 4, 2, 3, 6]));
  });

  test.skipIf(skip)('can go back to any length', async () => {
    const cache = stream(await open());
    await read(cache, [5, 1, 2, 8]);
    await cache.truncate(4);
    await cache.truncate(2);
    expect(cache.length).toBe(2);
    expect(await next(cache, [9])).toBe(nextWord([5, 1, 9]));
    await cache.truncate(0);
    expect(await next(cache, [3])).toBe(nextWord([3]));
    await expect(cache.truncate(2)).rejects.toMatchObject({ message: 'A stream of length 1 has no length 2.' });
    await expect(cache.truncate(-1)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test.skipIf(skip)('goes back inside the engine: nothing of the cache is read', async () => {
    const cache = stream(await open());
    await read(cache, [5, 1, 2, 8]);
    const fork = cache.fork();
    const getData = vi.spyOn(Tensor.prototype, 'getData');
    await cache.truncate(2);
    expect(getData).not.toHaveBeenCalled();
    getData.mockRestore();
    expect([cache.length, fork.length]).toEqual([2, 4]);
    expect(await next(cache, [9])).toBe(nextWord([5, 1, 9]));
    expect(await next(fork, [9])).toBe(nextWord([5, 1, 2, 8, 9]));
  });

  test.skipIf(skip)(
    'a cache of a fixed length is written in place, forked, and unharmed by a run that fails',
    async () => {
      // cache[:, place] = x; total is what it adds up to; `pick` is read behind that.
      const fixed = modelOf(
        [
          { op: 'TensorScatter', inputs: ['cache_in', 'x', 'place'], outputs: ['cache_out'], attributes: { axis: 1 } },
          { op: 'ReduceSum', inputs: ['cache_out'], outputs: ['sum'], attributes: { keepdims: 0 } },
          { op: 'Gather', inputs: ['x', 'pick'], outputs: ['picked'], attributes: { axis: 1 } },
          { op: 'Add', inputs: ['sum', 'picked'], outputs: ['total'] },
        ],
        { cache_in: 'float32[1,65536,4]', x: 'float32[1,n,4]', place: 'int64[1]', pick: 'int64' },
        { cache_out: 'float32[1,65536,4]', total: 'float32' },
      );
      const session = await open(fixed);
      const cache = stream(session);
      const put = async (on: Toy, place: number, value: number, pick = 0) => {
        const { total } = await on.run({
          x: new Tensor('float32', [value, value, value, value], [1, 1, 4]),
          place: new Tensor('int64', [place]),
          pick: new Tensor('int64', [pick], []),
        });
        return (total as Tensor).toFloat32()[0];
      };
      expect(await put(cache, 0, 1)).toBe(5);
      expect(await put(cache, 1, 2)).toBe(14);
      const { heap } = await session.memory();
      const fork = cache.fork();
      expect(await put(cache, 2, 3)).toBe(27);
      await expect(put(cache, 1, 99, 7)).rejects.toMatchObject({ code: 'invalid_data' });
      expect(await put(fork, 2, 10)).toBe(62);
      expect(await put(cache, 3, 4)).toBe(44);
      fork.dispose();
      for (let i = 4; i < 50; i++) await put(cache, i, 0);
      expect(await put(cache, 3, 5)).toBe(49);
      // The copies for the fork have gone, and no token has left another.
      expect((await session.memory()).heap - heap).toBeLessThan(65536);
    },
  );

  test.skipIf(skip)('a cache of fewer bits is rounded, shared, cut, saved, and smaller', async () => {
    const joined = modelOf(
      [
        { op: 'Concat', inputs: ['past_0', 'x'], outputs: ['present_0'], attributes: { axis: 2 } },
        { op: 'Neg', inputs: ['x'], outputs: ['y'] },
      ],
      { past_0: 'float32[batch,1,past,64]', x: 'float32[batch,1,seq,64]' },
      { present_0: 'float32[batch,1,total,64]', y: 'float32[batch,1,seq,64]' },
    );
    const session = await open(joined);
    const add = (on: Toy, rows: number, value: number) => {
      const row = Array.from({ length: 64 }, (_, i) => (i === 0 ? 127 : value));
      return on.run({ x: new Tensor('float32', Array(rows).fill(row).flat(), [1, 1, rows, 64]) });
    };
    /** The second number of each row. */
    const held = async (on: Toy) => {
      const [, { data, shape }] = fromBytes(await on.save()).states[0] as [string, TensorLike];
      return Array.from({ length: shape[2] as number }, (_, row) => (data as Float32Array)[64 * row + 1]);
    };
    const sizes: number[] = [];
    // What runs need beside the cache is there before anything is measured.
    await add(stream(session, { cache: 'int8' }), 1000, 1);
    await add(stream(session), 1, 1);
    for (const [cache, rounded] of [
      ['float32', Math.fround(2.3)],
      ['float16', 2.30078125],
      ['int8', 2],
    ] as const) {
      const { heap } = await session.memory();
      const one = stream(session, { cache });
      await add(one, 1000, 2.3);
      await one.run({ x: new Tensor('float32', [], [1, 1, 0, 64]) });
      sizes.push((await session.memory()).heap - heap);
      expect(new Set(await held(one))).toEqual(new Set([rounded]));
      const two = one.fork();
      await add(one, 1, 5);
      await two.truncate(3);
      await add(two, 1, 7);
      expect((await held(one)).slice(998)).toEqual([rounded, rounded, 5]);
      expect(await held(two)).toEqual([rounded, rounded, rounded, 7]);
      await one.restore(await two.save());
      await add(one, 1, 2.3);
      expect(await held(one)).toEqual([rounded, rounded, rounded, 7, rounded]);
      one.dispose();
      two.dispose();
      await add(stream(session, { cache }), 1, 0);
    }
    const [whole = 0, half = 0, quarter = 0] = sizes;
    expect(whole).toBeGreaterThan(256_000);
    expect(half).toBeLessThan(0.6 * whole);
    expect(quarter).toBeLessThan(0.35 * whole);
    expect(() => stream(session, { cache: 'int4' as 'int8' })).toThrow('"float32", "float16" or "int8"');
  });

  test.skipIf(skip)('begins where the caller says, whose tensor stays the caller’s', async () => {
    const session = await open();
    const initial = await session.keep(new Tensor('float32', [2, 7], [1, 1, 2, 1]));
    const cache = stream(session, { initial: { 'past_key_values.0.key': initial } });
    expect(cache.length).toBe(2);
    expect(await next(cache, [4])).toBe(nextWord([2, 7, 4]));
    await cache.reset();
    expect(await next(cache, [5])).toBe(nextWord([2, 7, 5]));
    cache.dispose();
    expect([...(await initial.getData())]).toEqual([2, 7]);
  });

  test.skipIf(skip)('is saved, and goes on in another session of the same model', async () => {
    const [here, there] = [await open(), await open()];
    const cache = stream(here);
    await read(cache, [5, 1, 2]);
    const bytes = await cache.save();
    const other = stream(there);
    await read(other, [9, 9, 9, 9, 9]);
    await other.restore(bytes);
    expect(other.length).toBe(3);
    expect(await next(other, [7])).toBe(nextWord([5, 1, 2, 7]));
    expect(await next(cache, [8])).toBe(nextWord([5, 1, 2, 8]));
    const another = modelOf(
      [{ op: 'Concat', inputs: ['past_key_values.0.key', 'x'], outputs: ['present.0.key'], attributes: { axis: 2 } }],
      { x: 'float32', 'past_key_values.0.key': 'float32[batch,1,past,1]' },
      { 'present.0.key': 'float32[batch,1,total,1]' },
    );
    await expect(stream(await open(another)).restore(bytes)).rejects.toMatchObject({
      code: 'invalid_data',
      message: 'The bytes are the saved state of another model or another stream.',
    });
    await expect(other.restore(bytes.slice(0, 50))).rejects.toMatchObject({ code: 'invalid_data' });
    expect(other.length).toBe(4);
  });

  test.skipIf(skip)('many conversations at once never mix, whatever is done to them', async () => {
    const random = seeded(5);
    const below = (n: number) => Math.floor(random() * n);
    const session = await open();
    const live: { cache: Toy; ids: number[] }[] = [{ cache: stream(session), ids: [] }];
    const saved: { bytes: Uint8Array; ids: number[] }[] = [];
    for (let turn = 0; turn < 200; turn++) {
      const one = live[below(live.length)] as (typeof live)[number];
      const { cache, ids } = one;
      const what = below(10);
      if (what < 5) {
        const more = Array.from({ length: 1 + below(3) }, () => below(words));
        one.ids = [...ids, ...more];
        expect(await next(cache, more)).toBe(nextWord(one.ids));
      } else if (what === 5 && live.length < 6) {
        live.push({ cache: cache.fork(), ids });
      } else if (what === 6 && live.length > 1) {
        cache.dispose();
        live.splice(live.indexOf(one), 1);
      } else if (what === 7) {
        one.ids = ids.slice(0, below(ids.length + 1));
        await cache.truncate(one.ids.length);
      } else if (what === 8 && ids.length > 0) {
        saved.push({ bytes: await cache.save(), ids });
      } else if (what === 9) {
        const back = saved[below(saved.length)];
        if (back === undefined) continue;
        await cache.restore(back.bytes);
        one.ids = back.ids;
      }
      expect(cache.length).toBe(one.ids.length);
    }
    for (const { cache, ids } of live) expect(await next(cache, [1])).toBe(nextWord([...ids, 1]));
  });

  test.skipIf(skip)('what does not fit is said before the model runs, and changes nothing', async () => {
    const cache = stream(await open(), { maxLength: 5 });
    await read(cache, [5, 1, 2]);
    await expect(cache.run(feedsOf([7], 3, 3))).rejects.toMatchObject({
      code: 'shape_mismatch',
      input: 'attention_mask',
      message: '"attention_mask" is for 3 positions, but the stream has 3 and this run adds 1: make it 4 long.',
    });
    const past = new Tensor('float32', [1], [1, 1, 1, 1]);
    await expect(cache.run({ ...feedsOf([7], 3), 'past_key_values.0.key': past })).rejects.toMatchObject({
      code: 'invalid_argument',
      input: 'past_key_values.0.key',
    });
    await expect(cache.run(feedsOf([7, 7, 7], 3))).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining('has 3 positions and cannot take 3 more: its most are 5'),
    });
    await expect(cache.run({ input_ids: new Tensor('int64', [7], [1, 1]) })).rejects.toMatchObject({
      code: 'missing_input',
    });
    await expect(cache.run(feedsOf([7], 3), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(
      cache.run({ ...feedsOf([7], 3), position_ids: new Tensor('int32', [3], [1, 1]) }),
    ).rejects.toMatchObject({ code: 'type_mismatch' });
    expect(await next(cache, [7])).toBe(nextWord([5, 1, 2, 7]));
    expect(() => stream(cache.session, { stat: {} } as never)).toThrow('Did you mean "state"?');
    expect(() => stream(cache.session, { initial: { past: past } })).toThrow('no state of this stream');
  });

  test.skipIf(skip)('runs wait for one another, with the inputs as they were at the call', async () => {
    const cache = stream(await open());
    const ids = BigInt64Array.of(0n);
    const runs = [3n, 8n, 2n].map((id, past) => {
      ids[0] = id;
      return cache.run({ ...feedsOf([0], past), input_ids: { type: 'int64', data: ids, shape: [1, 1] } });
    });
    ids[0] = 20n;
    const words = (await Promise.all(runs)).map(({ logits }) => logits?.argmax());
    expect(words).toEqual([nextWord([3]), nextWord([3, 8]), nextWord([3, 8, 2])]);
  });

  test.skipIf(skip)('memory that runs out leaves it at its former length, and usable', async () => {
    const session = await Session.load(decoderOnly, { ...options, limits: { bytes: 4 << 20 } });
    sessions.push(session);
    const cache = stream(session);
    let error: unknown;
    let [length, many] = [0, 1000];
    for (; error === undefined; many *= 2) {
      length = cache.length;
      error = await cache.run(feedsOf(Array(many).fill(0), length), { fetch: [] }).then(
        () => undefined,
        (e: unknown) => e,
      );
    }
    expect(error).toBeInstanceOf(NeuromancerError);
    expect(['limit_exceeded', 'out_of_memory']).toContain((error as NeuromancerError).code);
    expect(length).toBeGreaterThanOrEqual(1000);
    expect(cache.length).toBe(length);
    expect(await next(cache, [5])).toBe((3 * 5 + length) % words);
    await cache.truncate(3);
    expect(await next(cache, [5])).toBe(nextWord([0, 0, 0, 5]));
  });

  test.skipIf(skip)('disposed during a run it has nothing left', async () => {
    const session = await open();
    const past = () => new Tensor('float32', [], [1, 1, 0, 1]);
    const heap = async () => {
      // The output of the run before goes with the next run.
      await session.run({ ...feedsOf([1], 0), 'past_key_values.0.key': past() });
      const { heap: all, arena } = await session.memory();
      return all - arena;
    };
    const cache = stream(session);
    await read(cache, [1]);
    const before = await heap();
    const many = 50_000;
    const run = cache.run(feedsOf(Array(many).fill(1), 1), { fetch: [] });
    cache.dispose();
    await run;
    expect((await heap()) - before).toBeLessThan(many);
  });

  test.skipIf(skip || whyWithout('silero-vad-v6') !== '')(`silero's state${whyWithout('silero-vad-v6')}`, async () => {
    const session = await open(modelFile('silero-vad-v6'));
    const frames = Array.from({ length: 4 }, (_, frame) =>
      Float32Array.from({ length: 576 }, (_, i) => Math.sin((frame * 512 + i) / 9) * (i % 100 < 50 ? 0.9 : 0.1)),
    );
    const sr = new Tensor('int64', [16000], []);
    const voice = stream(session);
    expect([voice.state, voice.length]).toEqual([['state'], 0]);
    let state: Tensor = new Tensor('float32', new Float32Array(256), [2, 1, 128]);
    for (const frame of frames) {
      const input = new Tensor('float32', frame, [1, 576]);
      const { output, ...rest } = await voice.run({ input, sr });
      expect(rest).toEqual({});
      const byHand = await session.run({ input, state, sr });
      state = byHand.stateN as Tensor;
      expect(output?.data).toEqual(byHand.output?.data);
    }
    expect(voice.length).toBe(4);
    await expect(voice.truncate(2)).rejects.toMatchObject({
      message:
        'The state "state" has no time axis, so there is no way back to 2; fork() before what may be taken back.',
    });
    await voice.truncate(0);
    const first = await session.run({
      input: new Tensor('float32', frames[0] as Float32Array, [1, 576]),
      state: new Tensor('float32', new Float32Array(256), [2, 1, 128]),
      sr,
    });
    const again = await voice.run({ input: new Tensor('float32', frames[0] as Float32Array, [1, 576]), sr });
    expect(again.output?.data).toEqual(first.output?.data);
  });

  test.skipIf(skip || whyWithout('gtcrn') !== '')(`gtcrn's three caches${whyWithout('gtcrn')}`, async () => {
    const session = await open(modelFile('gtcrn'));
    const cleaner = stream(session);
    expect(cleaner.state).toEqual(['conv_cache', 'tra_cache', 'inter_cache']);
    const zeros = (shape: number[]) => new Tensor('float32', new Float32Array(shape.reduce((a, b) => a * b)), shape);
    let caches: Record<string, Tensor> = {
      conv_cache: zeros([2, 1, 16, 16, 33]),
      tra_cache: zeros([2, 3, 1, 1, 16]),
      inter_cache: zeros([2, 1, 33, 16]),
    };
    for (let frame = 0; frame < 3; frame++) {
      const data = Float32Array.from({ length: 514 }, (_, i) => Math.cos(i * (frame + 1)));
      const mix = new Tensor('float32', data, [1, 257, 1, 2]);
      const { enh, ...out } = await session.run({ mix, ...caches });
      caches = Object.fromEntries(Object.entries(out).map(([name, value]) => [name.replace('_out', ''), value]));
      expect((await cleaner.run({ mix })).enh?.data).toEqual(enh?.data);
    }
  });

  test.skipIf(skip || whyWithout('dtln-1') !== '')(
    `dtln's state, which only the caller can name${whyWithout('dtln-1')}`,
    async () => {
      const session = await open(modelFile('dtln-1'));
      expect(() => stream(session)).toThrow('No state was found by name');
      const cleaner = stream(session, { state: { input_3: 'tf_op_layer_stack_2' } });
      const input_2 = new Tensor('float32', new Float32Array(257).fill(0.5), [1, 1, 257]);
      const first = await cleaner.run({ input_2 });
      const second = await cleaner.run({ input_2 });
      const state = new Tensor('float32', new Float32Array(512), [1, 2, 128, 2]);
      const one = await session.run({ input_2, input_3: state });
      const two = await session.run({ input_2, input_3: one.tf_op_layer_stack_2 as Tensor });
      expect(first.activation_2?.data).toEqual(one.activation_2?.data);
      expect(second.activation_2?.data).toEqual(two.activation_2?.data);
    },
  );
});

test.skipIf(!built('wasm'))('a stream whose session is released says so', async () => {
  const session = await Session.load(decoderOnly, { artefact: 'wasm', threads: 1 });
  const cache = stream(session);
  const feeds = {
    input_ids: new Tensor('int64', [1], [1, 1]),
    attention_mask: new Tensor('int64', [1], [1, 1]),
    position_ids: new Tensor('int64', [0], [1, 1]),
  };
  await cache.run(feeds);
  await session.release();
  await expect(cache.run({ ...feeds, attention_mask: new Tensor('int64', [1, 1], [1, 2]) })).rejects.toMatchObject({
    code: 'session_closed',
  });
  await expect(cache.save()).rejects.toMatchObject({ code: 'session_closed' });
});

test('the entry needs no other script', () => {
  for (const entry of ['stream', 'generate']) {
    const code = readFileSync(new URL(`../dist/${entry}.js`, import.meta.url), 'utf8');
    expect(code).not.toMatch(/\bimport\s*[({'"]|from\s*['"`]/);
  }
});
