import { Tensor } from 'neuromancer';
import { expect, test } from 'vitest';
import { compare, onnxTolerance } from './compare.ts';
import type { Data } from './onnx-data.ts';

const floats = (...values: number[]) => new Tensor('float32', values);

const same: [string, Data, Data][] = [
  ['the same numbers', floats(1, Number.NaN, -Infinity), floats(1, Number.NaN, -Infinity)],
  ['numbers within the tolerance', floats(1000), floats(1000.9)],
  ['float16 within the tolerance', new Tensor('float16', [1]), new Tensor('float16', [1.0009])],
  ['sequences', [floats(1), floats()], [floats(1), floats()]],
  ['maps', new Map([['a', 0.5]]), new Map([['a', 0.5001]])],
  ['nothing', undefined, undefined],
];

test.each(same)('%s pass', (_, actual, expected) => {
  expect(compare(actual, expected, onnxTolerance)).toBeUndefined();
});

const different: [string, Data, Data, string][] = [
  ['another number', floats(1, 2), floats(1, 3), '1 of 2 elements differ, the first at 1: 2 where 3 was expected'],
  ['a number for NaN', floats(0), floats(Number.NaN), 'differ'],
  ['NaN for a number', floats(Number.NaN), floats(0), 'differ'],
  ['infinity of the other sign', floats(Infinity), floats(-Infinity), 'differ'],
  ['another shape', floats(1), new Tensor('float32', [1], [1, 1]), 'got float32[1] where float32[1,1] was expected'],
  ['another type', floats(1), new Tensor('float64', [1]), 'got float32[1]'],
  ['an integer that is off by one', new Tensor('int64', [10000]), new Tensor('int64', [10001]), '10000 where 10001'],
  ['another string', new Tensor('string', ['a']), new Tensor('string', ['b']), 'a where b'],
  ['another bit', new Tensor('float8e5m2', Uint8Array.of(1)), new Tensor('float8e5m2', Uint8Array.of(2)), '1 where 2'],
  ['a bfloat16', new Tensor('bfloat16', [1]), new Tensor('bfloat16', [2]), '1 where 2'],
  ['an imaginary part', new Tensor('complex64', [1, 0]), new Tensor('complex64', [1, 1]), 'the first at 1'],
  ['a shorter sequence', [floats(1)], [], 'got a sequence of 1 where a sequence of 0'],
  ['an item', [floats(1)], [floats(2)], 'item 0: '],
  ['a key', new Map([['a', 1]]), new Map([['b', 1]]), 'the entry of b is undefined'],
  ['nothing for something', undefined, floats(1), 'got nothing'],
  ['something for nothing', floats(1), undefined, 'where nothing was expected'],
];

test.each(different)('%s is found', (_, actual, expected, why) => {
  expect(compare(actual, expected, onnxTolerance)).toContain(why);
});

test('the largest element of each row must be the same where the case says so', () => {
  const rows = (...values: number[]) => new Tensor('float32', values, [2, 2]);
  const loose = { rtol: 0, atol: 1, argmax: true };
  expect(compare(rows(0, 1, 1, 0), rows(0, 1.5, 0.9, 0), loose)).toBeUndefined();
  expect(compare(rows(0, 1, 1, 0), rows(0, 1, 0.4, 0.5), loose)).toBe('the largest element of row 1 is another one');
});
