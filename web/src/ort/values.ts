// Values on their way between onnxruntime-common and the engine.
import { Tensor } from 'onnxruntime-common';
import { NeuromancerError } from '../api/errors.js';
import type { Session } from '../api/session.js';
import type { DType } from '../values/dtypes.js';
import { Tensor as EngineTensor, type TensorSource } from '../values/tensor.js';
import type { Value, ValueLike } from '../values/values.js';
import { HeldTensor } from './held-tensor.js';
import { OtherValue } from './other-value.js';

/** The element types that onnxruntime-common's class knows. */
const commonTypes: ReadonlySet<string> = new Set<Tensor.Type>([
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'uint4',
  'int4',
]);

/**
 * A tensor of any type that this engine has. onnxruntime-common's constructor refuses what onnxruntime-web lacks
 * (bfloat16, the float8 and float4 types, int2, complex numbers); this makes an instance of its class of these, too.
 */
export function tensorOf(type: DType, data: TensorSource, dims?: readonly number[]): Tensor {
  return fromTensor(new EngineTensor(type, data, dims));
}

/** Whether onnxruntime-common's class has that type. */
export function isCommon(type: string): boolean {
  return commonTypes.has(type);
}

function fromTensor({ type, data, shape }: EngineTensor): Tensor {
  if (isCommon(type)) return new Tensor(type as 'float32', data as Float32Array, shape);
  return new OtherValue(type, data, shape) as unknown as Tensor;
}

/** An output as a caller of onnxruntime takes it: an instance of its Tensor, whatever it is. */
export function fromEngine(value: Value, type: string): Tensor {
  if (value instanceof EngineTensor) return fromTensor(value);
  return new OtherValue(type, plain(value), Array.isArray(value) ? [value.length] : []) as unknown as Tensor;
}

/** Tensors in sequences are tensors of onnxruntime-common, too. */
function plain(value: Value): unknown {
  if (value instanceof EngineTensor) return fromTensor(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

/**
 * An input as the engine takes it: a promise only when it has to be downloaded first, so that all others are taken at the
 * moment of the call. It is asked for its fields, not for its class: a page may have several copies of
 * onnxruntime-common, and tensors that another library brings are as good.
 */
export function toEngine(given: unknown, name: string, session: Session): ValueLike | Promise<ValueLike> {
  if (given instanceof OtherValue && !given.isTensor) return toEngine(given.data, name, session);
  if (Array.isArray(given)) return whenAll(given.map((item) => toEngine(item, name, session)));
  if (given instanceof HeldTensor && given.owner === session && given.inEngine !== undefined) return given.inEngine;
  if (!isTensor(given)) return given as ValueLike;
  const { type, dims, location } = given;
  if (location === 'none') {
    throw new NeuromancerError('invalid_data', `Input "${name}" was disposed; give a tensor that has its data.`, {
      input: name,
    });
  }
  const withData = (data: Tensor.DataType) => ({ type: type as DType, data: asBytes(type, data), dims });
  if (location === undefined || location.startsWith('cpu')) return withData(given.data);
  return given.getData().then(withData);
}

/** The values themselves when all are there. */
export function whenAll<T>(values: readonly (T | Promise<T>)[]): T[] | Promise<T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as T[]);
}

/** Types of four bits are bytes to the engine; onnxruntime-common's declarations say that int4 are signed ones. */
function asBytes(type: string, data: Tensor.DataType): TensorSource {
  if (type === 'int4' && data instanceof Int8Array) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  return data as TensorSource;
}

function isTensor(given: unknown): given is Tensor {
  return typeof given === 'object' && given !== null && 'type' in given && 'dims' in given && 'data' in given;
}

/** Writes an output into the tensor that the caller has made for it. */
export function fill(made: Tensor, value: Value, name: string): Tensor {
  const fits = value instanceof EngineTensor && value.type === made.type && String(value.shape) === String(made.dims);
  if (!fits) {
    const actual = value instanceof EngineTensor ? value.toString() : 'no tensor';
    const expected = `${made.type}[${made.dims}]`;
    throw new NeuromancerError(
      'shape_mismatch',
      `Output "${name}" is ${actual}, but the tensor given for it is ${expected}; give null for outputs of any size.`,
      { expected, actual },
    );
  }
  const { data } = value;
  if (!ArrayBuffer.isView(data)) (made.data as string[]).splice(0, data.length, ...(data as readonly string[]));
  else bytesOf(made.data as ArrayBufferView).set(bytesOf(data));
  return made;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
