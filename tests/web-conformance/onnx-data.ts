// Decodes the files of ONNX's test data: TensorProto, SequenceProto, MapProto and OptionalProto, as the types of a
// model's inputs and outputs say. It imports nothing that runs, so that Node, a page and Vitest take it as it is.
import type { DType, Scalar, TensorLike } from 'neuromancer';

/** What the public interface takes and gives: tensors, arrays, Maps, and undefined for what is not there. */
export type Data = TensorLike | ReadonlyMap<Scalar, Scalar> | readonly Data[] | undefined;

const numberArrays = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
};
type Holder = keyof typeof numberArrays | 'BigInt64Array' | 'BigUint64Array' | 'strings';

/** ONNX's numbers of element types, their names, and the arrays that the package's README promises for them. */
const types: Readonly<Record<number, readonly [DType, Holder]>> = {
  1: ['float32', 'Float32Array'],
  2: ['uint8', 'Uint8Array'],
  3: ['int8', 'Int8Array'],
  4: ['uint16', 'Uint16Array'],
  5: ['int16', 'Int16Array'],
  6: ['int32', 'Int32Array'],
  7: ['int64', 'BigInt64Array'],
  8: ['string', 'strings'],
  9: ['bool', 'Uint8Array'],
  10: ['float16', 'Uint16Array'],
  11: ['float64', 'Float64Array'],
  12: ['uint32', 'Uint32Array'],
  13: ['uint64', 'BigUint64Array'],
  14: ['complex64', 'Float32Array'],
  15: ['complex128', 'Float64Array'],
  16: ['bfloat16', 'Uint16Array'],
  17: ['float8e4m3fn', 'Uint8Array'],
  18: ['float8e4m3fnuz', 'Uint8Array'],
  19: ['float8e5m2', 'Uint8Array'],
  20: ['float8e5m2fnuz', 'Uint8Array'],
  21: ['uint4', 'Uint8Array'],
  22: ['int4', 'Uint8Array'],
  23: ['float4e2m1', 'Uint8Array'],
  24: ['float8e8m0', 'Uint8Array'],
  25: ['uint2', 'Uint8Array'],
  26: ['int2', 'Uint8Array'],
};

/** The value in a file whose type the model declares as `type`: "float32", "optional(sequence(int64))", …. */
export function decodeValue(file: Uint8Array, type: string): Data {
  const [, kind, inner = ''] = /^(sequence|optional|map)\((.*)\)$/.exec(type) ?? [];
  if (kind === undefined) return decodeTensor(file);
  const message = new Message(file);
  if (kind === 'map') return decodeMap(message);
  // Tensors, sequences, maps and optionals have the same field numbers in SequenceProto and in OptionalProto.
  const items = message.all(3, 5, 6, 7).map((item) => decodeValue(item, inner));
  return kind === 'sequence' ? items : items[0];
}

export function decodeTensor(file: Uint8Array): TensorLike {
  const message = new Message(file);
  const number = Number(message.integers(2)[0] ?? 0n);
  const known = types[number];
  if (known === undefined) throw new Error(`the test data have a tensor of the unknown type ${number}`);
  if (Number(message.integers(14)[0] ?? 0n) !== 0) throw new Error('the test data have a tensor in another file');
  const [type, holder] = known;
  return { type, data: tensorData(message, holder), shape: message.integers(1).map(Number) };
}

export function tensorName(file: Uint8Array): string {
  return text(new Message(file).all(8)[0] ?? new Uint8Array());
}

function tensorData(message: Message, holder: Holder): ArrayBufferView | string[] {
  if (holder === 'strings') return message.all(6).map(text);
  const raw = message.all(9)[0];
  // A copy, for its alignment.
  const buffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
  if (holder === 'BigInt64Array') {
    return raw ? new BigInt64Array(buffer(raw)) : BigInt64Array.from(message.integers(7));
  }
  if (holder === 'BigUint64Array') {
    return raw ? new BigUint64Array(buffer(raw)) : BigUint64Array.from(message.integers(11));
  }
  const ArrayOf = numberArrays[holder];
  if (raw) return new ArrayOf(buffer(raw));
  if (holder === 'Float32Array') return new Float32Array(message.fixed(4));
  if (holder === 'Float64Array') return new Float64Array(message.fixed(10));
  return ArrayOf.from(message.integers(holder === 'Uint32Array' ? 11 : 5).map(Number));
}

/** A MapProto: keys beside a sequence that holds the entries in one tensor, or a scalar tensor for each. */
function decodeMap(message: Message): ReadonlyMap<Scalar, Scalar> {
  const strings = message.all(4).map(text);
  const keys: Scalar[] = strings.length > 0 ? strings : message.integers(3).map(Number);
  const tensors = new Message(message.all(5)[0] ?? new Uint8Array()).all(3).map(decodeTensor);
  const entries = tensors.flatMap(({ data }) => Array.from(data as ArrayLike<Scalar>));
  if (entries.length !== keys.length) {
    throw new Error(`the test data have a map of ${keys.length} keys and ${entries.length} entries`);
  }
  return new Map(keys.map((key, i) => [key, entries[i] as Scalar]));
}

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);

/** The fields of a serialised message by their numbers: varints as they are, all others as their bytes. */
class Message {
  readonly #fields = new Map<number, (bigint | Uint8Array)[]>();

  constructor(bytes: Uint8Array) {
    const reader = new Reader(bytes);
    while (!reader.atEnd) {
      const tag = Number(reader.varint());
      const number = tag >>> 3;
      const fields = this.#fields.get(number) ?? [];
      fields.push(reader.field(tag & 7));
      this.#fields.set(number, fields);
    }
  }

  /** The bytes of all fields with one of these numbers. */
  all(...numbers: number[]): Uint8Array[] {
    return numbers.flatMap((number) => this.#fields.get(number) ?? []).filter((field) => field instanceof Uint8Array);
  }

  /** A repeated integer, packed or not. */
  integers(number: number): bigint[] {
    return (this.#fields.get(number) ?? []).flatMap((field) =>
      typeof field === 'bigint' ? field : new Reader(field).varints(),
    );
  }

  /** A repeated number of fixed width, packed or not, as the bytes of all. */
  fixed(number: number): ArrayBuffer {
    const parts = this.all(number);
    const bytes = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.byteLength;
    }
    return bytes.buffer;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.byteLength;
  }

  field(wireType: number): bigint | Uint8Array {
    if (wireType === 0) return this.varint();
    if (wireType === 1) return this.#take(8);
    if (wireType === 2) return this.#take(Number(this.varint()));
    if (wireType === 5) return this.#take(4);
    throw new Error(`the test data have a field of the unknown wire type ${wireType}`);
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('the test data end within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  }

  varints(): bigint[] {
    const values: bigint[] = [];
    while (!this.atEnd) values.push(this.varint());
    return values;
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.byteLength) throw new Error('the test data end within a field');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
