import { describe, expect, test } from 'vitest';
import { NeuromancerError, Tensor } from '../src/index.js';
import { elementTypes } from '../src/values/dtypes.js';

describe('construction', () => {
  test('the right typed array is taken as it is', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    expect(new Tensor('float32', data, [2, 2]).data).toBe(data);
  });

  test('without a shape it is a list; a scalar has the shape []', () => {
    expect(new Tensor('int32', [1, 2, 3]).shape).toEqual([3]);
    expect(new Tensor('float32', [1], []).size).toBe(1);
    expect(new Tensor('float32', [], [0, 3]).size).toBe(0);
  });

  test.each([
    ['int64', [1, -2], BigInt64Array.of(1n, -2n)],
    ['int64', Int32Array.of(5), BigInt64Array.of(5n)],
    ['uint64', [2n ** 64n - 1n], BigUint64Array.of(2n ** 64n - 1n)],
    ['bool', [true, false], Uint8Array.of(1, 0)],
    ['float64', [0.1], Float64Array.of(0.1)],
    ['float16', [1, -2, 65504], Uint16Array.of(0x3c00, 0xc000, 0x7bff)],
    ['float16', Uint16Array.of(0x3c00), Uint16Array.of(0x3c00)],
    ['bfloat16', [1], Uint16Array.of(0x3f80)],
    ['uint8', Uint8ClampedArray.of(255), Uint8Array.of(255)],
  ] as const)('%s from %o', (type, source, data) => {
    expect(new Tensor(type, source).data).toEqual(data);
  });

  test('float16 takes a Float16Array by its bits where the host has one', () => {
    const { Float16Array } = globalThis as { Float16Array?: { of(...values: number[]): ArrayBufferView } };
    if (Float16Array === undefined) return;
    expect(new Tensor('float16', Float16Array.of(1)).data).toEqual(Uint16Array.of(0x3c00));
  });

  test('packed and complex types count their entries', () => {
    expect(new Tensor('int4', Uint8Array.of(0x21, 0x03), [3]).size).toBe(3);
    expect(new Tensor('complex64', [1, 0, 0, 1]).shape).toEqual([2]);
  });
});

describe('refusals', () => {
  test.each([
    ['uint8', [256], 'Element 0 of a uint8 tensor, 256, is outside 0 … 255.'],
    ['int8', [0, -129], 'Element 1 of a int8 tensor, -129, is outside -128 … 127.'],
    ['int64', [1.5], 'is not a whole number'],
    ['int64', [2 ** 60], 'is beyond 2^53: pass a bigint'],
    ['uint64', [-1n], 'is outside 0 … 18446744073709551615'],
    ['bool', [2], 'is outside 0 … 1'],
    ['float32', ['a'], 'Element 0 of a float32 tensor, a, is not a number.'],
    ['string', [1], 'must be an array of strings'],
    ['int4', [1], 'packed bits in a Uint8Array'],
  ] as const)('%s of %o', (type, source, message) => {
    expect(() => new Tensor(type, source as never)).toThrow(message);
  });

  test('a shape that does not fit the data, or is none', () => {
    expect(() => new Tensor('float32', [1, 2, 3], [2, 2])).toThrow(
      'A float32[2,2] needs 4 entries of data, but 3 were given.',
    );
    expect(() => new Tensor('float32', [], [-1])).toThrow('but [-1] has -1');
  });

  test('a type that ONNX does not have', () => {
    expect(() => new Tensor('float' as never, [])).toThrow('"float" is not an ONNX element type');
  });
});

test('toFloat32 reads every plain numeric type', () => {
  expect(new Tensor('int64', [7]).toFloat32()).toEqual(Float32Array.of(7));
  expect(new Tensor('float16', [0.5, -3]).toFloat32()).toEqual(Float32Array.of(0.5, -3));
  expect(new Tensor('bfloat16', [-1.5]).toFloat32()).toEqual(Float32Array.of(-1.5));
  expect(() => new Tensor('string', ['a']).toFloat32()).toThrow('A string[1] cannot be read as float32 values.');
});

test('every type has its own number', () => {
  const numbers = Object.values(elementTypes).map(({ number }) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
});

describe('convenience', () => {
  test('reshape keeps the data, and finds one open dimension', () => {
    const tensor = new Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [6]);
    expect(tensor.reshape([2, 3]).shape).toEqual([2, 3]);
    expect(tensor.reshape([2, 3]).data).toBe(tensor.data);
    expect(tensor.reshape([3, -1]).shape).toEqual([3, 2]);
    for (const shape of [[4], [4, -1], [-1, -1], [0, -1]])
      expect(() => tensor.reshape(shape)).toThrow(NeuromancerError);
  });

  test.each([
    [
      new Tensor('float32', [1, 2, 3, 4], [2, 2]),
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [new Tensor('float16', [0.5], []), 0.5],
    [new Tensor('int64', [7], [1, 1]), [[7n]]],
    [new Tensor('bool', [true, false]), [true, false]],
    [new Tensor('string', ['a', 'b'], [2, 1]), [['a'], ['b']]],
    [new Tensor('float32', [], [2, 0]), [[], []]],
    [new Tensor('float32', [], [0, 2]), []],
  ])('%s as arrays', (tensor, arrays) => {
    expect(tensor.toArray()).toEqual(arrays);
  });

  test.each([
    [new Tensor('float32', [1, 5, 5, 2]), 1],
    [new Tensor('int64', [-3, -1, -2]), 1],
    [new Tensor('float16', [0.5, 2, 1]), 1],
    [new Tensor('float32', [1, Number.NaN, 5, Number.NaN]), 1],
    [new Tensor('float32', [7], []), 0],
  ])('the largest of %s', (tensor, index) => {
    expect(tensor.argmax()).toBe(index);
  });

  test('values without a form in JavaScript are refused', () => {
    for (const tensor of [new Tensor('int4', Uint8Array.of(1), [2]), new Tensor('complex64', [1, 0])]) {
      expect(() => tensor.argmax()).toThrow('have no form in JavaScript');
      expect(() => tensor.toArray()).toThrow('have no form in JavaScript');
    }
    expect(() => new Tensor('float32', []).argmax()).toThrow('has no values');
  });

  test('arguments in another order are told the right one', () => {
    expect(() => new Tensor([1] as never, [1])).toThrow('new Tensor("float32", data, [1, 3])');
    expect(() => new Tensor('flaot32' as never, [1])).toThrow('Did you mean "float32"?');
  });
});
