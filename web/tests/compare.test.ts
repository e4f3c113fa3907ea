// Where a session goes wrong: against itself without passes, another model, and values from elsewhere.
import { describe, expect, test } from 'vitest';
import { decoded } from '../../models/onnx/messages.js';
import { accuracy, type Comparison, compare, withEveryValue } from '../dist/compare.js';
import { Session, Tensor, type TracedStep } from '../dist/index.js';
import { pack } from '../dist/pack.js';
import { withEveryValue as everyValue } from '../src/compare/every-value.js';
import { modelOf, type NodeSpec } from './onnx-writer.js';
import { built } from './places.js';

const options = { artefact: 'wasm', threads: 1 } as const;

/** Matrices one after the other, with Relu between them: values "a", "b", "c", "d", "y". */
const nodes: NodeSpec[] = [
  { op: 'MatMul', inputs: ['x', 'u'], outputs: ['a'] },
  { op: 'Relu', inputs: ['a'], outputs: ['b'] },
  { op: 'MatMul', inputs: ['b', 'v'], outputs: ['c'] },
  { op: 'Relu', inputs: ['c'], outputs: ['d'] },
  { op: 'MatMul', inputs: ['d', 'w'], outputs: ['y'] },
];
const square = (...data: number[]) => ({ dims: [2, 2], data });
const chain = (v = square(2, 1, 1, 2)) =>
  modelOf(
    nodes,
    { x: 'float32[n,2]' },
    { y: 'float32[n,2]' },
    { weights: { u: square(1, 2, 3, 4), v, w: square(1, 0, 0, 1) } },
  );
const feeds = { x: new Tensor('float32', [1, 2, 3, 4], [2, 2]) };

/** An image through convolutions, which the engine keeps with the channels last. */
const image = (weight: number) =>
  modelOf(
    [
      { op: 'Conv', inputs: ['x', 'k'], outputs: ['a'], attributes: { pads: [1, 1, 1, 1] } },
      { op: 'MaxPool', inputs: ['a'], outputs: ['b'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { op: 'Conv', inputs: ['b', 'l'], outputs: ['y'] },
    ],
    { x: 'float32[1,3,8,8]' },
    { y: 'float32[1,2,4,4]' },
    {
      weights: {
        k: { dims: [5, 3, 3, 3], data: Array.from({ length: 135 }, (_, i) => Math.sin(i)) },
        l: { dims: [2, 5, 1, 1], data: Array.from({ length: 10 }, (_, i) => (i === 3 ? weight : Math.cos(i))) },
      },
    },
  );
const picture = {
  x: new Tensor(
    'float32',
    Float32Array.from({ length: 192 }, (_, i) => Math.sin(i * i)),
    [1, 3, 8, 8],
  ),
};

describe.skipIf(!built('wasm'))('with the engine', () => {
  const withSessions = async (
    models: readonly [Uint8Array, object?][],
    use: (...sessions: Session[]) => Promise<void>,
  ) => {
    const sessions = await Promise.all(models.map(([model, more]) => Session.load(model, { ...options, ...more })));
    await use(...sessions);
    await Promise.all(sessions.map((session) => session.release()));
  };

  test("says how far outputs are from another session's", async () => {
    await withSessions([[chain()], [chain(square(2, 1, 1, 2.5))]], async (session, other) => {
      expect(await accuracy(session, session, feeds)).toEqual([
        { name: 'y', largest: 0, signalToNoise: Number.POSITIVE_INFINITY, rows: 2, sameLargest: 2 },
      ]);
      // [[7, 10], [15, 22]] · v: 24 27, 52 59 and 24 32, 52 70.
      const [y] = await accuracy(session, other, feeds);
      expect(y).toMatchObject({ largest: 11 / 70, rows: 2, sameLargest: 2 });
      expect(y?.signalToNoise).toBeCloseTo(
        10 * Math.log10((24 ** 2 + 32 ** 2 + 52 ** 2 + 70 ** 2) / (5 ** 2 + 11 ** 2)),
      );
    });
    // What is no number counts for nothing where both have it.
    await withSessions([[chain()], [chain()]], async (session, other) => {
      const [y] = await accuracy(session, other, { x: new Tensor('float32', [1, 2, Number.NaN, 4], [2, 2]) });
      expect(y).toEqual({ name: 'y', largest: 0, signalToNoise: Number.POSITIVE_INFINITY, rows: 2, sameLargest: 2 });
    });
    await withSessions([[chain()], [image(1)]], async (session, other) => {
      await expect(accuracy(session, other, feeds)).rejects.toMatchObject({ code: 'shape_mismatch' });
    });
  });

  test('a run tells of each step with its values', async () => {
    await withSessions([[chain(), { optimize: false }]], async (session) => {
      const steps: TracedStep[] = [];
      const { y } = await session.run(feeds, { trace: (step) => steps.push(step) });
      expect(steps.map(({ index, operator, values }) => [index, operator, values])).toEqual(
        nodes.map(({ op, outputs }, i) => [i, op, outputs]),
      );
      const [first] = steps as [TracedStep];
      expect((first.outputs[0] as Tensor).toArray()).toEqual([
        [7, 10],
        [15, 22],
      ]);
      expect(steps.at(-1)?.outputs[0]).toMatchObject({ data: y?.data });
    });
    await withSessions([[chain(), { worker: true }]], async (session) => {
      await expect(session.run(feeds, { trace: () => {} })).rejects.toThrow('without "worker"');
      expect((await session.run(feeds)).y).toBeDefined();
    });
  });

  test('a session agrees with itself without passes', async () => {
    for (const [model, given, count] of [
      [chain(), feeds, 3],
      [image(1), picture, 3],
    ] as const) {
      await withSessions([[model], [model, { optimize: false }]], async (session, reference) => {
        const { compared, difference } = await compare(session, reference, given);
        expect(difference).toBeUndefined();
        expect(compared).toBe(count);
      });
    }
  });

  test('another weight is found at its node', async () => {
    await withSessions([[chain(square(2, 1, 1, 2.5))], [chain(), { optimize: false }]], async (session, reference) => {
      const { difference } = await compare(session, reference, feeds);
      // x·u = [7 10; 15 22], and the second column of v has 0.5 more in its second row. A pass makes one step of the
      // product and the Relu behind it.
      expect(difference).toMatchObject({ value: 'd', operator: 'MatMul', after: 'b', what: 'elements' });
      expect(difference).toMatchObject({ largest: 11, position: [1, 1], actual: '70', expected: '59' });
      expect((await compare(session, reference, feeds, { tolerance: 0.5 })).difference).toBeUndefined();
    });
    await withSessions([[image(1)], [image(1.5), { optimize: false }]], async (session, reference) => {
      const { difference } = await compare(session, reference, picture);
      expect(difference).toMatchObject({ value: 'y', operator: 'Conv', after: 'b', what: 'elements' });
    });
  });

  test('values from elsewhere can be the reference', async () => {
    await withSessions([[chain()], [withEveryValue(chain(square(2, 1, 1, 2.5)))]], async (session, other) => {
      expect(other.outputs.map(({ name }) => name)).toEqual(['y', 'a', 'b', 'c', 'd']);
      const values = await other.run(feeds);
      const { difference } = await compare(session, values, feeds);
      expect(difference).toMatchObject({ value: 'd', after: 'b', actual: '59', expected: '70' });
      // As onnxruntime has them; and of another form.
      const { type, data, shape: dims } = values.d as Tensor;
      const only = async (given: object): Promise<Comparison> => compare(session, { d: given as Tensor }, feeds);
      expect((await only({ type, data, dims })).difference).toMatchObject({ value: 'd', after: undefined });
      expect((await only({ type, data, dims: [4] })).difference).toMatchObject({
        what: 'shape',
        actual: 'float32[2,2]',
        expected: 'float32[4]',
      });
      expect((await only({ type: 'int32', data: Int32Array.of(1, 2, 3, 4), dims })).difference).toMatchObject({
        what: 'type',
      });
      const nan = new Tensor('float32', [17, Number.NaN, 0, 0], [2, 2]);
      expect((await only(nan)).difference).toMatchObject({ largest: Number.POSITIVE_INFINITY, expected: 'NaN' });
    });
  });

  test('what cannot be compared says so', async () => {
    const stripped = await pack(chain(), { strip: true });
    await withSessions([[chain()], [stripped]], async (session, nameless) => {
      await expect(compare(session, {}, feeds)).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining('no value of the same name'),
      });
      const misspelt = { tolerence: 1 } as object;
      await expect(compare(session, {}, feeds, misspelt)).rejects.toThrow('Did you mean "tolerance"?');
      await expect(compare(session, nameless, { z: feeds.x })).rejects.toThrow('no input "z"');
      await expect(compare(nameless, session, feeds)).rejects.toThrow('packed without names');
    });
  });
});

test('a file that is no model has no values', () => {
  for (const bytes of [[], [1], [0x3a, 5, 1], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]]) {
    expect(() => everyValue(Uint8Array.from(bytes))).toThrow('The bytes are no ONNX model');
  }
  const twice = everyValue(everyValue(chain()));
  expect(twice).toEqual(everyValue(chain()));
});

test('every value becomes an output, and all else stays as it was, as the published schema reads it', () => {
  const read = (bytes: Uint8Array) => decoded<{ graph: { output: object[] } }>('ModelProto', bytes);
  const { graph, ...about } = read(chain());
  const added = ['a', 'b', 'c', 'd'].map((name) => ({ name, metadata_props: [] }));
  expect(read(everyValue(chain()))).toEqual({ ...about, graph: { ...graph, output: [...graph.output, ...added] } });
});
