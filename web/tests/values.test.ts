// Tensors of every type, sequences, maps and optionals through the package, on the real engine.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type DType, Session, Tensor, type Value, type ValueMap } from '../dist/index.js';
import { dataLength, elementTypes } from '../src/values/dtypes.js';
import { parseType } from '../src/values/values.js';
import { modelOf } from './onnx-writer.js';

const float = (...values: number[]) => new Tensor('float32', Float32Array.from(values));
const ml = 'ai.onnx.ml';

describe('types are read as the engine writes them', () => {
  const tensor = (type: DType) => ({ kind: 'tensor', type });
  test.each([
    ['float32', tensor('float32')],
    ['sequence(string)', { kind: 'sequence', element: tensor('string') }],
    ['optional(sequence(int64))', { kind: 'optional', element: { kind: 'sequence', element: tensor('int64') } }],
    [
      'sequence(map(int64,float32))',
      { kind: 'sequence', element: { kind: 'map', key: 'int64', element: tensor('float32') } },
    ],
  ])('%s', (text, type) => expect(parseType(text)).toEqual(type));
});

const built = existsSync(new URL('../dist/neuromancer-wasm.wasm', import.meta.url));

describe.skipIf(!built).each([false, true])(
  `on the engine (worker: %s)${built ? '' : ' (skipped: not built)'}`,
  (worker) => {
    const load = (...model: Parameters<typeof modelOf>) =>
      Session.load(modelOf(...model), { artefact: 'wasm', threads: 1, worker });
    const identity = (type: string) =>
      load([{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], { x: type }, { y: type });

    test.each(Object.keys(elementTypes) as DType[])('%s tensors keep every bit', async (type) => {
      const session = await identity(type);
      expect(session.inputs).toMatchObject([{ name: 'x', type }]);
      const { array: TypedArrayOf } = elementTypes[type];
      for (const shape of [[5], [2, 3], [], [0]]) {
        const elements = shape.reduce((a, b) => a * b, 1);
        const entries = dataLength(type, elements);
        const bytes = Uint8Array.from({ length: entries * (TypedArrayOf?.BYTES_PER_ELEMENT ?? 0) }, (_, i) =>
          type === 'bool' ? i % 2 : 37 * i + 5,
        );
        // The bits of the last byte that no element uses are zero.
        const used = Math.round(elements * elementTypes[type].lanes * 8) % 8;
        if (used > 0) bytes[entries - 1] = (bytes[entries - 1] as number) & (255 >> (8 - used));
        const words = ['', 'a', 'Zürich', '東京', '🧠', '\0 b'];
        const data = TypedArrayOf === null ? words.slice(0, elements) : new TypedArrayOf(bytes.buffer);
        const x = new Tensor(type, data as never, shape);
        const { y } = await session.run({ x });
        expect(y?.type).toBe(type);
        expect(y?.shape).toEqual(shape);
        if (type === 'string') expect(y?.data).toEqual(x.data);
        else expect(new Uint8Array((y as Tensor<'uint8'>).data.buffer)).toEqual(bytes);
      }
      await session.release();
    });

    test('sequences go in and come out as arrays', async () => {
      const session = await load(
        [
          { op: 'SequenceInsert', inputs: ['list', 'last'], outputs: ['longer'] },
          { op: 'SequenceAt', inputs: ['longer', 'which'], outputs: ['item'] },
          { op: 'SequenceLength', inputs: ['list'], outputs: ['length'] },
        ],
        { list: 'sequence(float32)', last: 'float32', which: 'int64' },
        { longer: 'sequence(float32)', item: 'float32', length: 'int64' },
      );
      expect(session.inputs[0]?.type).toBe('sequence(float32)');
      const which = new Tensor('int64', [0], []);
      const run = (list: Tensor[]) => session.run<Record<string, Value>>({ list, last: float(9), which });
      const { longer, item, length } = await run([float(1, 2), float(), float(3)]);
      expect((longer as Tensor[]).map(({ data }) => [...(data as Float32Array)])).toEqual([[1, 2], [], [3], [9]]);
      expect((item as Tensor).data).toEqual(Float32Array.of(1, 2));
      expect((length as Tensor).data).toEqual(BigInt64Array.of(3n));
      expect((await run([])).longer).toHaveLength(1);
      await expect(session.run({ list: float(1), last: float(9), which })).rejects.toMatchObject({
        code: 'type_mismatch',
        input: 'list',
        expected: 'sequence(float32)',
        actual: 'a float32 tensor',
      });
      const words = [new Tensor('string', ['a'])];
      await expect(session.run({ list: words, last: float(9), which })).rejects.toMatchObject({
        code: 'type_mismatch',
        actual: 'sequence(string)',
      });
      await session.release();
    });

    test('sequences of strings', async () => {
      const session = await identity('sequence(string)');
      const x = [new Tensor('string', ['ä', '']), new Tensor('string', ['b'], [1, 1])];
      const { y } = await session.run<{ y: Tensor<'string'>[] }>({ x });
      expect(y.map(({ data, shape }) => [data, shape])).toEqual([
        [['ä', ''], [2]],
        [['b'], [1, 1]],
      ]);
      await session.release();
    });

    test('optional values may be left out, going in and coming out', async () => {
      const session = await load(
        [
          { op: 'OptionalHasElement', inputs: ['x'], outputs: ['there'] },
          { op: 'Identity', inputs: ['x'], outputs: ['y'] },
        ],
        { x: 'optional(sequence(float32))' },
        { there: 'bool', y: 'optional(sequence(float32))' },
      );
      expect(session.inputs).toMatchObject([{ optional: true, type: 'optional(sequence(float32))' }]);
      for (const nothing of [{}, { x: undefined }, { x: null }]) {
        const outputs = await session.run(nothing);
        expect(Object.keys(outputs)).toEqual(['there']);
        expect(outputs.there?.data).toEqual(Uint8Array.of(0));
      }
      const { there, y } = await session.run<{ there: Tensor; y: Tensor[] }>({ x: [float(4)] });
      expect(there.data).toEqual(Uint8Array.of(1));
      expect(y[0]?.data).toEqual(Float32Array.of(4));
      await session.release();
    });

    test.each([
      ['string', { classlabels_strings: ['setosa', '__proto__'] }, ['setosa', '__proto__']],
      ['int64', { classlabels_int64s: [7, 3] }, [7, 3]],
    ])('maps with %s keys come out as Maps, in the order of the labels', async (key, attributes, labels) => {
      const type = `sequence(map(${key},float32))`;
      const session = await load(
        [{ op: 'ZipMap', inputs: ['x'], outputs: ['y'], domain: ml, attributes }],
        { x: 'float32' },
        { y: type },
      );
      expect(session.outputs[0]?.type).toBe(type);
      const { y } = await session.run<{ y: ValueMap[] }>({ x: new Tensor('float32', [0.25, 0.75, 1, 0], [2, 2]) });
      expect(y.map((map) => [...map])).toEqual([
        [
          [labels[0], 0.25],
          [labels[1], 0.75],
        ],
        [
          [labels[0], 1],
          [labels[1], 0],
        ],
      ]);
      await session.release();
    });

    test('maps go in as Maps or objects', async () => {
      const node = { op: 'DictVectorizer', inputs: ['x'], outputs: ['y'], domain: ml };
      const words = await load(
        [{ ...node, attributes: { string_vocabulary: ['a', 'b', 'c'] } }],
        { x: 'map(string,float32)' },
        { y: 'float32' },
      );
      expect(
        (
          await words.run({
            x: new Map([
              ['c', 2],
              ['a', 1.5],
            ]),
          })
        ).y?.data,
      ).toEqual(Float32Array.of(1.5, 0, 2));
      expect((await words.run({ x: { b: 3 } })).y?.data).toEqual(Float32Array.of(0, 3, 0));
      expect((await words.run({ x: {} })).y?.data).toEqual(Float32Array.of(0, 0, 0));
      await expect(words.run({ x: [1] as never })).rejects.toMatchObject({ code: 'type_mismatch', input: 'x' });
      await expect(words.run({ x: new Map([[1, 2]]) })).rejects.toThrow();
      const numbers = await load(
        [{ ...node, attributes: { int64_vocabulary: [5, 9] } }],
        { x: 'map(int64,string)' },
        { y: 'string' },
      );
      expect((await numbers.run({ x: { 9: 'nine' } })).y?.data).toEqual(['', 'nine']);
      expect((await numbers.run({ x: new Map([[5n, 'five']]) })).y?.data).toEqual(['five', '']);
      await expect(numbers.run({ x: { nine: 'nine' } })).rejects.toMatchObject({ code: 'type_mismatch' });
      await Promise.all([words.release(), numbers.release()]);
    });
  },
);
