// Reads a serialised ONNX TensorProto: dims (1), data_type (2), name (8), raw_data (9), and the packed float_data (4)
// and int64_data (7), which is all that the test data use.
import { dtypeOfNumber, elementTypes, type TypedArrayConstructor } from '../src/dtypes.js';
import { Tensor, type TensorSource } from '../src/tensor.js';

export function readTensorProto(bytes: Uint8Array): { name: string; tensor: Tensor } {
  const shape: number[] = [];
  let typeNumber = 0;
  let name = '';
  let data: TensorSource | undefined;
  let raw: Uint8Array | undefined;
  for (const { field, value } of fields(bytes)) {
    if (field === 1) shape.push(...(typeof value === 'number' ? [value] : varints(value)));
    else if (field === 2) typeNumber = value as number;
    else if (field === 8) name = new TextDecoder().decode(value as Uint8Array);
    else if (field === 9) raw = value as Uint8Array;
    else if (field === 4) data = new Float32Array(new Uint8Array(value as Uint8Array).buffer);
    else if (field === 7) data = varints(value as Uint8Array);
  }
  const type = dtypeOfNumber(typeNumber);
  if (type === undefined) throw new Error(`tensor "${name}" has the unknown type ${typeNumber}`);
  if (raw !== undefined) data = new (elementTypes[type].array as TypedArrayConstructor)(new Uint8Array(raw).buffer);
  return { name, tensor: new Tensor(type, data ?? [], shape) };
}

function* fields(bytes: Uint8Array): Generator<{ field: number; value: number | Uint8Array }> {
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.byteLength) {
    const tag = varint(reader);
    const field = tag >>> 3;
    if ((tag & 7) === 0) yield { field, value: varint(reader) };
    else if ((tag & 7) === 2) {
      const length = varint(reader);
      yield { field, value: bytes.subarray(reader.at, reader.at + length) };
      reader.at += length;
    } else throw new Error(`wire type ${tag & 7} does not occur in test data`);
  }
}

function varint(reader: { bytes: Uint8Array; at: number }): number {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = reader.bytes[reader.at++] as number;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return Number(BigInt.asIntN(64, value));
  }
}

function varints(bytes: Uint8Array): number[] {
  const reader = { bytes, at: 0 };
  const values: number[] = [];
  while (reader.at < bytes.byteLength) values.push(varint(reader));
  return values;
}
