import { NeuromancerError } from '../api/errors.js';
import { suggestion } from '../api/names.js';
import { forgotten, Reference } from '../engine/held.js';
import { kindOf } from '../host/host.js';
import {
  type DataOf,
  type DType,
  dataLength,
  type ElementType,
  elementTypes,
  isDType,
  type TypedArray,
  type TypedArrayConstructor,
} from './dtypes.js';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './float16.js';

/** Anything a tensor can be made from; see the constructor. */
export type TensorSource = ArrayBufferView | readonly (number | bigint | boolean | string)[];

/** What `run` accepts: a Tensor, or an object of the same form (a structured clone of one, say). */
export interface TensorLike {
  readonly type: DType;
  readonly data: ArrayBufferView | readonly string[];
  readonly shape: readonly number[];
}

/** The same as other libraries write it. */
export interface TensorWithDims {
  readonly type: DType;
  readonly data: TensorSource;
  readonly dims: readonly number[];
}

/**
 * A typed, row-major array of any rank.
 *
 * `data` is the typed array of the type: float16 and bfloat16 are their bits in a Uint16Array (`toFloat32()` gives
 * values), int64 and uint64 are BigInt arrays, bool is 0 or 1 in a Uint8Array, complex numbers are pairs, and types
 * narrower than a byte are packed into a Uint8Array, low bits first.
 *
 * A tensor that a run kept (`keep`) is in the engine: `data` is a copy then, made at the first look. Where the session
 * has a worker, wait for it: `await tensor.getData()`. It goes with `dispose()`, with its session, or when nobody refers
 * to it any more.
 */
export class Tensor<T extends DType = DType> implements TensorLike {
  readonly type: T;
  readonly data!: DataOf[T];
  readonly shape: readonly number[];
  #reference: Reference | undefined;

  /**
   * The right typed array is used as it is, without a copy. Other numbers, bigints and booleans (int64 from a
   * `number[]` or an `Int32Array`, float16 from a `Float32Array`, …) are converted, after a check that each fits.
   */
  constructor(type: T, data: TensorSource, shape?: readonly number[]);
  /** @internal */
  constructor(type: T, data: Reference, shape: readonly number[]);
  constructor(type: T, data: TensorSource | Reference, shape?: readonly number[]) {
    if (data instanceof Reference) {
      this.type = type;
      this.shape = shape as readonly number[];
      this.#reference = data;
      forgotten.register(this, data, this);
      // Its own, as of every tensor: a structured clone has the elements.
      Object.defineProperty(this, 'data', { get: () => data.data(), enumerable: true });
      return;
    }
    if (typeof type !== 'string') {
      throw new NeuromancerError(
        'invalid_argument',
        'A Tensor is made of its type, its data and its shape, in this order: new Tensor("float32", data, [1, 3]).',
      );
    }
    if (!isDType(type)) {
      const types = Object.keys(elementTypes);
      throw new NeuromancerError(
        'invalid_argument',
        `"${String(type)}" is not an ONNX element type; the types are ${types.join(', ')}.${suggestion(type, types)}`,
      );
    }
    this.type = type;
    this.data = toData(type, data) as DataOf[T];
    this.shape = shape === undefined ? [this.data.length / elementTypes[type].lanes] : checkedShape(shape);
    const expected = dataLength(type, elementCount(this.shape));
    if (this.data.length !== expected) {
      if (isGone(data)) {
        throw new NeuromancerError(
          'invalid_data',
          `The data of a ${describe(type, this.shape)} tensor are gone: their buffer was transferred, or its memory has grown; copy what has to stay.`,
        );
      }
      throw new NeuromancerError(
        'shape_mismatch',
        `A ${describe(type, this.shape)} needs ${expected} entries of data, but ${this.data.length} were given.`,
        { expected: `${expected} entries`, actual: `${this.data.length} entries` },
      );
    }
  }

  /** The tensor itself when it is one, else a tensor over the same data. */
  static of(value: TensorLike): Tensor {
    return value instanceof Tensor ? value : new Tensor(value.type, value.data as TensorSource, value.shape);
  }

  /**
   * A tensor of its own: the same values in memory that nobody else knows of. Of a tensor in the engine, where values
   * never change, it is another one for the same value, to be disposed by itself.
   */
  copy(): Tensor<T> {
    if (this.#reference !== undefined) return new Tensor(this.type, this.#reference.share(), this.shape);
    const { data } = this;
    if (!ArrayBuffer.isView(data)) return new Tensor(this.type, data as readonly string[], this.shape);
    const own = new (elementTypes[this.type].array as TypedArrayConstructor)(data as unknown as TypedArray);
    return new Tensor(this.type, own, this.shape);
  }

  /** Where the elements are: in JavaScript's memory, or in the engine of the session that kept them. */
  get location(): 'cpu' | 'engine' {
    return this.#reference === undefined ? 'cpu' : 'engine';
  }

  /** `data`, wherever the elements are; afterwards `data` itself is there too. */
  async getData(): Promise<DataOf[T]> {
    if (this.#reference === undefined) return this.data;
    return (await this.#reference.load()) as DataOf[T];
  }

  /** Gives back what the tensor holds in the engine, before nobody refers to it any more. Twice is allowed. */
  dispose(): void {
    this.#reference?.free();
    forgotten.unregister(this);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  get reference(): Reference | undefined {
    return this.#reference;
  }

  get size(): number {
    return elementCount(this.shape);
  }

  /** The same data in another shape. One dimension may be -1: what is left over for it. */
  reshape(shape: readonly number[]): Tensor<T> {
    const known = shape.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
    const rest = this.size / known;
    const whole = Number.isSafeInteger(rest) && shape.filter((dim) => dim === -1).length === 1;
    return new Tensor(
      this.type,
      this.data as TensorSource,
      whole ? shape.map((dim) => (dim === -1 ? rest : dim)) : shape,
    );
  }

  /**
   * The values in plain arrays, one inside the other, as many deep as the shape is long; a scalar is the value itself.
   * 16-bit floats are numbers here, 64-bit integers bigints, bools true and false.
   */
  toArray(): NestedArray {
    const flat = this.#values();
    const nest = (axis: number, from: number, length: number): NestedArray => {
      if (axis === this.shape.length) return flat[from] as Plain;
      const dim = this.shape[axis] as number;
      const step = dim === 0 ? 0 : length / dim;
      return Array.from({ length: dim }, (_, i) => nest(axis + 1, from + i * step, step));
    };
    return nest(0, 0, this.size);
  }

  /** The index of the largest of all values, in the order of `data`; of equal ones the first. NaN counts as the largest. */
  argmax(): number {
    const values = this.#values();
    if (values.length === 0) throw new NeuromancerError('invalid_data', `A ${this} has no values.`);
    let best = 0;
    for (let i = 0; i < values.length; i++) {
      const [value, most] = [values[i] as Plain, values[best] as Plain];
      if (value > most || (Number.isNaN(value) && !Number.isNaN(most))) best = i;
    }
    return best;
  }

  #values(): ArrayLike<Plain> {
    if (this.type === 'string') return this.data as readonly string[];
    if (this.type === 'bool') return Array.from(this.data as Uint8Array, (value) => value !== 0);
    if (this.type === 'float16' || this.type === 'bfloat16') return this.toFloat32();
    if (elementTypes[this.type].lanes !== 1 || this.type.startsWith('float8')) {
      throw new NeuromancerError('type_mismatch', `The values of a ${this} have no form in JavaScript; read its data.`);
    }
    return this.data as unknown as ArrayLike<number | bigint>;
  }

  /** The values as float32, whatever the numeric type; the data itself when it already is. */
  toFloat32(): Float32Array {
    if (this.data instanceof Float32Array) return this.data;
    if (this.type === 'float16') return float16ToFloat32(this.data as Uint16Array);
    if (this.type === 'bfloat16') return bfloat16ToFloat32(this.data as Uint16Array);
    if (this.type === 'string' || elementTypes[this.type].lanes !== 1 || this.type.startsWith('float8')) {
      throw new NeuromancerError('type_mismatch', `A ${this} cannot be read as float32 values.`);
    }
    return Float32Array.from(this.data as unknown as ArrayLike<number | bigint>, Number);
  }

  /** "float32[1,3,224,224]" */
  toString(): string {
    return describe(this.type, this.shape);
  }
}

type Plain = number | bigint | boolean | string;
export type NestedArray = Plain | readonly NestedArray[];

/** "float32[1,3,224,224]" */
export function describe(type: string, shape: readonly (number | string | null)[] | undefined): string {
  return shape === undefined ? type : `${type}[${shape.map((dim) => dim ?? '?').join(',')}]`;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

function checkedShape(given: readonly number[]): readonly number[] {
  if (!Array.isArray(given) && !ArrayBuffer.isView(given)) {
    throw new NeuromancerError(
      'invalid_argument',
      `A shape is a list of whole numbers, but ${String(given)} was given.`,
    );
  }
  const shape = Array.from(given as readonly number[]);
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new NeuromancerError(
        'invalid_argument',
        `A shape is a list of whole numbers that are not negative, but [${shape.map(String).join(',')}] has ${String(dim)}.`,
      );
    }
  }
  return shape;
}

/** Whether an array's buffer was detached, or shrunk away from under it. */
function isGone(source: TensorSource): boolean {
  return ArrayBuffer.isView(source) && source.byteLength === 0 && source.byteOffset === 0 && isDetached(source.buffer);
}

function isDetached(buffer: ArrayBufferLike): boolean {
  const { detached } = buffer as { detached?: boolean };
  return detached ?? buffer.byteLength === 0;
}

function toData(type: DType, source: TensorSource): TypedArray | readonly string[] {
  const list = asList(source);
  if (list === undefined) {
    throw new NeuromancerError('type_mismatch', `The data of a ${type} tensor must be an array or a typed array.`);
  }
  if (type === 'string') {
    if (Array.isArray(list) && list.every((value) => typeof value === 'string')) return [...(list as string[])];
    throw new NeuromancerError('type_mismatch', 'The data of a string tensor must be an array of strings.');
  }
  const { array, lanes }: ElementType = elementTypes[type];
  const TypedArrayOf = array as TypedArrayConstructor;
  if (source instanceof TypedArrayOf || kindOf(source) === TypedArrayOf.name) return source as TypedArray;
  if (type === 'bool' && source instanceof Uint8ClampedArray) return new Uint8Array(source);
  if (type === 'float16') return isFloat16Array(source) ? bitsOf(source) : float32ToFloat16(numbers(type, list));
  if (type === 'bfloat16') return float32ToBfloat16(numbers(type, list));
  if (lanes < 1 || type.startsWith('float8')) {
    throw new NeuromancerError(
      'type_mismatch',
      `The data of a ${type} tensor must be its packed bits in a Uint8Array.`,
    );
  }
  if (type === 'float32' || type === 'complex64') return Float32Array.from(numbers(type, list));
  if (type === 'float64' || type === 'complex128') return Float64Array.from(numbers(type, list));
  return integers(type, new TypedArrayOf(list.length), list);
}

type List = ArrayLike<number | bigint | boolean | string>;

function asList(source: TensorSource): List | undefined {
  if (Array.isArray(source)) return source;
  return ArrayBuffer.isView(source) && !(source instanceof DataView) ? (source as unknown as List) : undefined;
}

function isFloat16Array(source: TensorSource): source is ArrayBufferView {
  return kindOf(source) === 'Float16Array';
}

function bitsOf(view: ArrayBufferView): Uint16Array {
  return new Uint16Array(view.buffer, view.byteOffset, view.byteLength / 2);
}

function numbers(type: DType, list: List): ArrayLike<number> {
  for (let i = 0; i < list.length; i++) {
    if (typeof list[i] !== 'number') throw misfit(type, list[i], i, 'is not a number');
  }
  return list as ArrayLike<number>;
}

function integers(type: DType, out: TypedArray, list: List): TypedArray {
  const wide = out instanceof BigInt64Array || out instanceof BigUint64Array;
  const bits = out.BYTES_PER_ELEMENT * 8;
  const signed = type.startsWith('int');
  const low = type === 'bool' ? 0n : signed ? -(1n << BigInt(bits - 1)) : 0n;
  const high = type === 'bool' ? 1n : (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  for (let i = 0; i < list.length; i++) {
    const value = typeof list[i] === 'boolean' ? Number(list[i]) : list[i];
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw misfit(type, value, i, Number.isInteger(value) ? 'is beyond 2^53: pass a bigint' : 'is not a whole number');
    }
    if (typeof value !== 'number' && typeof value !== 'bigint') throw misfit(type, value, i, 'is not a number');
    if (value < low || value > high) throw misfit(type, value, i, `is outside ${low} … ${high}`);
    if (wide) out[i] = BigInt(value);
    else out[i] = Number(value);
  }
  return out;
}

function misfit(type: DType, value: unknown, index: number, why: string): NeuromancerError {
  return new NeuromancerError('invalid_data', `Element ${index} of a ${type} tensor, ${String(value)}, ${why}.`);
}
