import { expect, test } from 'vitest';
import { encoded, numberOf } from '../../models/onnx/messages.ts';
import { decodeTensor, decodeValue, tensorName } from './onnx-data.ts';

const proto = (type: string, dims: readonly number[], fields: object) => ({
  dims,
  data_type: numberOf('TensorProto.DataType', type),
  ...fields,
});
const tensor = (...given: Parameters<typeof proto>) => encoded('TensorProto', proto(...given));
const bytes = (array: ArrayBufferView<ArrayBuffer>) => new Uint8Array(array.buffer);
const texts = (...list: string[]) => list.map((each) => new TextEncoder().encode(each));

const cases: [string, Uint8Array, object][] = [
  [
    'raw float32',
    tensor('FLOAT', [1], { raw_data: bytes(Float32Array.of(1.5)) }),
    { type: 'float32', data: Float32Array.of(1.5), shape: [1] },
  ],
  [
    'float32',
    tensor('FLOAT', [2], { float_data: [-1, 2] }),
    { type: 'float32', data: Float32Array.of(-1, 2), shape: [2] },
  ],
  [
    'float64',
    tensor('DOUBLE', [2], { double_data: [-1, 1e300] }),
    { type: 'float64', data: Float64Array.of(-1, 1e300), shape: [2] },
  ],
  [
    'int64',
    tensor('INT64', [2], { int64_data: ['-9223372036854775808', -2] }),
    { type: 'int64', data: BigInt64Array.of(-(2n ** 63n), -2n), shape: [2] },
  ],
  [
    'int8 in int32_data',
    tensor('INT8', [1], { int32_data: [-2] }),
    { type: 'int8', data: Int8Array.of(-2), shape: [1] },
  ],
  [
    'float16 as bits',
    tensor('FLOAT16', [], { int32_data: [0x3c00] }),
    { type: 'float16', data: Uint16Array.of(0x3c00), shape: [] },
  ],
  [
    'uint32 in uint64_data',
    tensor('UINT32', [1], { uint64_data: [2 ** 32 - 1] }),
    { type: 'uint32', data: Uint32Array.of(2 ** 32 - 1), shape: [1] },
  ],
  [
    'uint64',
    tensor('UINT64', [1], { uint64_data: ['18446744073709551615'] }),
    { type: 'uint64', data: BigUint64Array.of(2n ** 64n - 1n), shape: [1] },
  ],
  [
    'packed int4',
    tensor('INT4', [3], { raw_data: Uint8Array.of(0x21, 0x03) }),
    { type: 'int4', data: Uint8Array.of(0x21, 3), shape: [3] },
  ],
  ['strings', tensor('STRING', [2], { string_data: texts('é', '') }), { type: 'string', data: ['é', ''], shape: [2] }],
  ['nothing in no bytes', tensor('FLOAT', [0], {}), { type: 'float32', data: new Float32Array(0), shape: [0] }],
];

test.each(cases)('a tensor: %s', (_, file, expected) => {
  expect(decodeTensor(file)).toEqual(expected);
});

test('a name', () => {
  expect(tensorName(tensor('FLOAT', [0], { name: 'image' }))).toBe('image');
});

test('sequences, maps and optionals', () => {
  const one = proto('INT32', [], { int32_data: [1] });
  const value = { type: 'int32', data: Int32Array.of(1), shape: [] };
  const sequence = { tensor_values: [one, one] };
  expect(decodeValue(encoded('SequenceProto', sequence), 'sequence(int32)')).toEqual([value, value]);
  expect(decodeValue(new Uint8Array(), 'sequence(int32)')).toEqual([]);
  const nested = encoded('SequenceProto', { sequence_values: [sequence] });
  expect(decodeValue(nested, 'sequence(sequence(int32))')).toEqual([[value, value]]);
  const optional = encoded('OptionalProto', { sequence_value: sequence });
  expect(decodeValue(optional, 'optional(sequence(int32))')).toEqual([value, value]);
  expect(decodeValue(encoded('OptionalProto', { elem_type: 1 }), 'optional(int32)')).toBeUndefined();
  const named = encoded('MapProto', { string_keys: texts('a'), values: { tensor_values: [one] } });
  expect(decodeValue(named, 'map(string,int32)')).toEqual(new Map([['a', 1]]));
  const numbered = encoded('MapProto', { keys: [7, -7], values: sequence });
  expect(decodeValue(numbered, 'map(int64,int32)')).toEqual(
    new Map([
      [7, 1],
      [-7, 1],
    ]),
  );
  const short = encoded('MapProto', { keys: [7], values: sequence });
  expect(() => decodeValue(short, 'map(int64,int32)')).toThrow('1 keys and 2 entries');
});

test('damaged files are refused', () => {
  const whole = tensor('FLOAT', [1], { raw_data: bytes(Float32Array.of(1.5)) });
  expect(() => decodeTensor(whole.subarray(0, -1))).toThrow('index out of range');
  expect(() => decodeTensor(encoded('TensorProto', { data_type: 99 }))).toThrow('unknown type 99');
  expect(() => decodeTensor(tensor('FLOAT', [1], { data_location: 'EXTERNAL' }))).toThrow('in another file');
});
