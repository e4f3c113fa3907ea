import { expect, test } from 'vitest';
import { decodeTensor, decodeValue, tensorName } from './onnx-data.ts';

const bytes = (field: number, payload: readonly number[]) => [(field << 3) | 2, payload.length, ...payload];
const integer = (field: number, value: number) => [field << 3, value];
const text = (field: number, value: string) => bytes(field, [...new TextEncoder().encode(value)]);
const minusTwo = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
const tensor = (type: number, dims: readonly number[], ...fields: readonly number[][]) =>
  Uint8Array.from([...dims.flatMap((dim) => integer(1, dim)), ...integer(2, type), ...fields.flat()]);
const float = (value: number) => [...new Uint8Array(Float32Array.of(value).buffer)];

const cases: [string, Uint8Array, object][] = [
  ['raw float32', tensor(1, [1], bytes(9, float(1.5))), { type: 'float32', data: Float32Array.of(1.5), shape: [1] }],
  [
    'packed float32',
    tensor(1, [2], bytes(4, [...float(-1), ...float(2)])),
    { type: 'float32', data: Float32Array.of(-1, 2), shape: [2] },
  ],
  [
    'float32, one field each',
    tensor(1, [2], [0x25, ...float(-1)], [0x25, ...float(2)]),
    { type: 'float32', data: Float32Array.of(-1, 2), shape: [2] },
  ],
  ['int64', tensor(7, [2], bytes(7, [1, ...minusTwo])), { type: 'int64', data: BigInt64Array.of(1n, -2n), shape: [2] }],
  ['int8 in int32_data', tensor(3, [1], bytes(5, minusTwo)), { type: 'int8', data: Int8Array.of(-2), shape: [1] }],
  [
    'float16 as bits',
    tensor(10, [], bytes(5, [0x80, 0x78])),
    { type: 'float16', data: Uint16Array.of(0x3c00), shape: [] },
  ],
  ['uint64', tensor(13, [1], bytes(11, [3])), { type: 'uint64', data: BigUint64Array.of(3n), shape: [1] }],
  ['packed int4', tensor(22, [3], bytes(9, [0x21, 0x03])), { type: 'int4', data: Uint8Array.of(0x21, 3), shape: [3] }],
  ['strings', tensor(8, [2], text(6, 'é'), text(6, '')), { type: 'string', data: ['é', ''], shape: [2] }],
  ['nothing in no bytes', tensor(1, [0]), { type: 'float32', data: new Float32Array(0), shape: [0] }],
];

test.each(cases)('a tensor: %s', (_, file, expected) => {
  expect(decodeTensor(file)).toEqual(expected);
});

test('a name', () => {
  expect(tensorName(tensor(1, [0], text(8, 'image')))).toBe('image');
});

test('sequences, maps and optionals', () => {
  const one = [...tensor(6, [], bytes(5, [1]))];
  const value = { type: 'int32', data: Int32Array.of(1), shape: [] };
  const sequence = bytes(3, one);
  expect(decodeValue(Uint8Array.from([...sequence, ...sequence]), 'sequence(int32)')).toEqual([value, value]);
  expect(decodeValue(new Uint8Array(), 'sequence(int32)')).toEqual([]);
  expect(decodeValue(Uint8Array.from(bytes(5, sequence)), 'sequence(sequence(int32))')).toEqual([[value]]);
  expect(decodeValue(Uint8Array.from(bytes(5, sequence)), 'optional(sequence(int32))')).toEqual([value]);
  expect(decodeValue(Uint8Array.from([...integer(2, 1)]), 'optional(int32)')).toBeUndefined();
  const map = Uint8Array.from([...text(4, 'a'), ...bytes(5, sequence)]);
  expect(decodeValue(map, 'map(string,int32)')).toEqual(new Map([['a', 1]]));
});

test('damaged files are refused', () => {
  expect(() => decodeTensor(Uint8Array.of(0x4a, 9, 0))).toThrow('end within a field');
  expect(() => decodeTensor(Uint8Array.of(0x08, 0x80))).toThrow('end within a number');
  expect(() => decodeTensor(tensor(99, []))).toThrow('unknown type 99');
});
