// The values in the files of ONNX's test data, as the types of a model's inputs and outputs say.
import type { DType, Scalar, TensorLike } from 'neuromancer';
import { decoded, nameOf } from '../../models/onnx/messages.ts';

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

/** ONNX's element types, their names here, and the arrays that the package's README promises for them. */
const types: Readonly<Record<string, readonly [DType, Holder]>> = {
  FLOAT: ['float32', 'Float32Array'],
  UINT8: ['uint8', 'Uint8Array'],
  INT8: ['int8', 'Int8Array'],
  UINT16: ['uint16', 'Uint16Array'],
  INT16: ['int16', 'Int16Array'],
  INT32: ['int32', 'Int32Array'],
  INT64: ['int64', 'BigInt64Array'],
  STRING: ['string', 'strings'],
  BOOL: ['bool', 'Uint8Array'],
  FLOAT16: ['float16', 'Uint16Array'],
  DOUBLE: ['float64', 'Float64Array'],
  UINT32: ['uint32', 'Uint32Array'],
  UINT64: ['uint64', 'BigUint64Array'],
  COMPLEX64: ['complex64', 'Float32Array'],
  COMPLEX128: ['complex128', 'Float64Array'],
  BFLOAT16: ['bfloat16', 'Uint16Array'],
  FLOAT8E4M3FN: ['float8e4m3fn', 'Uint8Array'],
  FLOAT8E4M3FNUZ: ['float8e4m3fnuz', 'Uint8Array'],
  FLOAT8E5M2: ['float8e5m2', 'Uint8Array'],
  FLOAT8E5M2FNUZ: ['float8e5m2fnuz', 'Uint8Array'],
  UINT4: ['uint4', 'Uint8Array'],
  INT4: ['int4', 'Uint8Array'],
  FLOAT4E2M1: ['float4e2m1', 'Uint8Array'],
  FLOAT8E8M0: ['float8e8m0', 'Uint8Array'],
  UINT2: ['uint2', 'Uint8Array'],
  INT2: ['int2', 'Uint8Array'],
};

interface TensorProto {
  readonly dims: readonly string[];
  readonly data_type?: number;
  readonly data_location?: number;
  readonly name?: string;
  readonly raw_data?: Uint8Array;
  readonly float_data: readonly number[];
  readonly int32_data: readonly number[];
  readonly string_data: readonly Uint8Array[];
  readonly int64_data: readonly string[];
  readonly double_data: readonly number[];
  readonly uint64_data: readonly string[];
}

interface SequenceProto {
  readonly tensor_values: readonly TensorProto[];
  readonly sequence_values: readonly SequenceProto[];
  readonly map_values: readonly MapProto[];
  readonly optional_values: readonly OptionalProto[];
}

interface MapProto {
  readonly keys: readonly string[];
  readonly string_keys: readonly Uint8Array[];
  readonly values?: SequenceProto;
}

interface OptionalProto {
  readonly tensor_value?: TensorProto;
  readonly sequence_value?: SequenceProto;
  readonly map_value?: MapProto;
  readonly optional_value?: OptionalProto;
}

type Kind = 'tensor' | 'sequence' | 'map' | 'optional';
const messages = { tensor: 'TensorProto', sequence: 'SequenceProto', map: 'MapProto', optional: 'OptionalProto' };

/** "optional(sequence(int64))" is an optional of "sequence(int64)". */
function parsed(type: string): [kind: Kind, inner: string] {
  const [, kind = 'tensor', inner = ''] = /^(sequence|optional|map)\((.*)\)$/.exec(type) ?? [];
  return [kind as Kind, inner];
}

/** The value in a file whose type the model declares as `type`: "float32", "optional(sequence(int64))", …. */
export function decodeValue(file: Uint8Array, type: string): Data {
  return toData(decoded(messages[parsed(type)[0]], file), type);
}

export function decodeTensor(file: Uint8Array): TensorLike {
  return tensorOf(decoded('TensorProto', file));
}

export function tensorName(file: Uint8Array): string {
  return decoded<TensorProto>('TensorProto', file).name ?? '';
}

function toData(message: unknown, type: string): Data {
  const [kind, inner] = parsed(type);
  if (kind === 'tensor') return tensorOf(message as TensorProto);
  if (kind === 'map') return mapOf(message as MapProto);
  const [of] = parsed(inner);
  if (kind === 'sequence') return (message as SequenceProto)[`${of}_values`].map((item) => toData(item, inner));
  const value = (message as OptionalProto)[`${of}_value`];
  return value === undefined ? undefined : toData(value, inner);
}

function tensorOf(message: TensorProto): TensorLike {
  const { data_type = 0, data_location = 0, dims } = message;
  const known = types[nameOf('TensorProto.DataType', data_type) ?? ''];
  if (known === undefined) throw new Error(`the test data have a tensor of the unknown type ${data_type}`);
  if (nameOf('TensorProto.DataLocation', data_location) !== 'DEFAULT') {
    throw new Error('the test data have a tensor in another file');
  }
  const [type, holder] = known;
  return { type, data: elements(message, holder), shape: dims.map(Number) };
}

function elements(message: TensorProto, holder: Holder): ArrayBufferView | string[] {
  if (holder === 'strings') return message.string_data.map(text);
  // A copy, for its alignment.
  const raw = message.raw_data && new Uint8Array(message.raw_data).buffer;
  if (holder === 'BigInt64Array') return raw ? new BigInt64Array(raw) : BigInt64Array.from(message.int64_data, BigInt);
  if (holder === 'BigUint64Array')
    return raw ? new BigUint64Array(raw) : BigUint64Array.from(message.uint64_data, BigInt);
  const ArrayOf = numberArrays[holder];
  if (raw) return new ArrayOf(raw);
  if (holder === 'Float32Array') return Float32Array.from(message.float_data);
  if (holder === 'Float64Array') return Float64Array.from(message.double_data);
  return ArrayOf.from(holder === 'Uint32Array' ? message.uint64_data.map(Number) : message.int32_data);
}

/** Keys beside a sequence that holds the entries in one tensor, or a scalar tensor for each. */
function mapOf({ keys: numbers, string_keys, values }: MapProto): ReadonlyMap<Scalar, Scalar> {
  const keys: readonly Scalar[] = string_keys.length > 0 ? string_keys.map(text) : numbers.map(Number);
  const tensors = (values?.tensor_values ?? []).map(tensorOf);
  const entries = tensors.flatMap(({ data }) => Array.from(data as ArrayLike<Scalar>));
  if (entries.length !== keys.length) {
    throw new Error(`the test data have a map of ${keys.length} keys and ${entries.length} entries`);
  }
  return new Map(keys.map((key, i) => [key, entries[i] as Scalar]));
}

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
