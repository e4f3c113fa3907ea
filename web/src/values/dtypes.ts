import { dtypeNumbers } from '../engine/c-abi.js';

/** How each ONNX element type is held in JavaScript. `number` is ONNX's TensorProto.DataType. */
export interface ElementType {
  readonly number: number;
  readonly array: TypedArrayConstructor | null;
  /** Elements of `array` for one tensor element: 2 for complex numbers, 1/2 or 1/4 for packed small integers. */
  readonly lanes: number;
}

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

export interface TypedArrayConstructor {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TypedArray;
  new (values: TypedArray): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray;
}

const arrays = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  string: null,
  bool: Uint8Array,
  float16: Uint16Array,
  float64: Float64Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  complex64: Float32Array,
  complex128: Float64Array,
  bfloat16: Uint16Array,
  float8e4m3fn: Uint8Array,
  float8e4m3fnuz: Uint8Array,
  float8e5m2: Uint8Array,
  float8e5m2fnuz: Uint8Array,
  uint4: Uint8Array,
  int4: Uint8Array,
  float4e2m1: Uint8Array,
  float8e8m0: Uint8Array,
  uint2: Uint8Array,
  int2: Uint8Array,
} satisfies Record<DType, TypedArrayConstructor | null>;

export type DType = keyof typeof dtypeNumbers;

const lanes = (type: string) => (/^complex/.test(type) ? 2 : /t4/.test(type) ? 1 / 2 : /t2/.test(type) ? 1 / 4 : 1);

export const elementTypes = Object.fromEntries(
  Object.entries(dtypeNumbers).map(([type, number]) => [
    type,
    { number, array: arrays[type as DType], lanes: lanes(type) },
  ]),
) as Record<DType, ElementType>;

/** The typed array that holds a type's elements; an array of strings for `string`. */
export interface DataOf {
  float32: Float32Array;
  uint8: Uint8Array;
  int8: Int8Array;
  uint16: Uint16Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  string: readonly string[];
  bool: Uint8Array;
  float16: Uint16Array;
  float64: Float64Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  complex64: Float32Array;
  complex128: Float64Array;
  bfloat16: Uint16Array;
  float8e4m3fn: Uint8Array;
  float8e4m3fnuz: Uint8Array;
  float8e5m2: Uint8Array;
  float8e5m2fnuz: Uint8Array;
  uint4: Uint8Array;
  int4: Uint8Array;
  float4e2m1: Uint8Array;
  float8e8m0: Uint8Array;
  uint2: Uint8Array;
  int2: Uint8Array;
}

const namesByNumber = new Map<number, DType>(
  Object.entries(elementTypes).map(([name, { number }]) => [number, name as DType]),
);

export function isDType(name: string): name is DType {
  return Object.hasOwn(elementTypes, name);
}

/** The type with ONNX's `number`, or undefined when there is none. */
export function dtypeOfNumber(number: number): DType | undefined {
  return namesByNumber.get(number);
}

/** How many entries the data of a tensor has. */
export function dataLength(type: DType, elements: number): number {
  return Math.ceil(elements * elementTypes[type].lanes);
}
