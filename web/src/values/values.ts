// What flows in and out of a model: tensors, and sequences and maps of them.

import { asNeuromancerError, NeuromancerError } from '../api/errors.js';
import type { Home, Reference } from '../engine/held.js';
import type { DType } from './dtypes.js';
import { Tensor, type TensorLike, type TensorSource, type TensorWithDims } from './tensor.js';

/** A key or an entry of a map: int64 is a number, or a bigint where a number cannot hold it. */
export type Scalar = string | number | bigint;

/** A `map(K,V)` in the order of its entries. `Object.fromEntries(map)` makes an object of it. */
export type ValueMap = ReadonlyMap<Scalar, Scalar>;

/** What a run returns: a tensor, a sequence of values, a map, or undefined for an optional that is not there. */
export type Value = Tensor | ValueMap | readonly Value[] | undefined;

/** What a run accepts; null and undefined leave an optional input out. */
export type ValueLike =
  | TensorLike
  | TensorWithDims
  | ReadonlyMap<Scalar, Scalar>
  | Readonly<Record<string, Scalar>>
  | readonly ValueLike[]
  | null
  | undefined;

/** The type of a value as the engine writes it: "sequence(map(string,float32))". */
export type ValueType =
  | { readonly kind: 'tensor'; readonly type: DType }
  | { readonly kind: 'sequence' | 'optional'; readonly element: ValueType }
  | { readonly kind: 'map'; readonly key: DType; readonly element: ValueType };

export function parseType(text: string): ValueType {
  const [, kind, inner] = /^(sequence|optional|map)\((.*)\)$/.exec(text) ?? [];
  if (kind === undefined || inner === undefined) return { kind: 'tensor', type: text as DType };
  if (kind !== 'map') return { kind: kind as 'sequence' | 'optional', element: parseType(inner) };
  const comma = inner.indexOf(',');
  return { kind, key: inner.slice(0, comma) as DType, element: parseType(inner.slice(comma + 1)) };
}

/**
 * The value with Tensors where there were objects of their form, after a check that its form is the type's. What was
 * given is read once, here: the caller's objects may say something else at the next look. The data are still theirs.
 */
export function checkedValue(value: ValueLike, type: ValueType, text: string, input: string, home: Home): Value {
  const misfit = (): NeuromancerError => {
    const array = type.kind === 'tensor' && (Array.isArray(value) || ArrayBuffer.isView(value));
    const remedy = array ? ` Make a tensor of it: new Tensor("${text}", data, shape).` : '';
    return new NeuromancerError(
      'type_mismatch',
      `Input "${input}" takes a ${text}, but ${formOf(value)} was given.${remedy}`,
      { input, expected: text, actual: formOf(value) },
    );
  };
  if (type.kind === 'optional') {
    return value === null || value === undefined ? undefined : checkedValue(value, type.element, text, input, home);
  }
  if (type.kind === 'sequence') {
    if (!Array.isArray(value)) throw misfit();
    return (value as readonly ValueLike[]).map((item) => checkedValue(item, type.element, text, input, home));
  }
  if (type.kind === 'map') {
    if (value instanceof Map) return new Map(value as ValueMap);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isTensorLike(value)) throw misfit();
    const entries = Object.entries(value as Record<string, Scalar>);
    if (type.key === 'string') return new Map(entries);
    if (!entries.every(([key]) => /^-?\d+$/.test(key))) throw misfit();
    return new Map(entries.map(([key, entry]) => [BigInt(key), entry]));
  }
  if (!isTensorLike(value)) throw misfit();
  try {
    if (!isKept(value)) return tensorOf(value);
    value.reference.handleIn(home);
    return value;
  } catch (error) {
    const { code, message } = asNeuromancerError(error, 'invalid_argument', 'The tensor cannot be read');
    throw new NeuromancerError(code, `Input "${input}": ${message}`, { input }, error);
  }
}

/** A tensor that a call takes by itself. */
export function checkedTensor(value: unknown, call: string): Tensor {
  if (value instanceof Tensor) return value;
  if (isTensorLike(value)) return tensorOf(value);
  throw new NeuromancerError('invalid_argument', `${call} takes a tensor, but ${formOf(value)} was given.`);
}

function tensorOf({ type, data, shape, dims }: AnyTensor): Tensor {
  return new Tensor(type, data, shape ?? dims);
}

/** The same value in memory that nobody else knows of. */
export function ownValue(value: Value): Value {
  if (value instanceof Tensor) return value.copy();
  // Maps and lists were made by checkedValue.
  return Array.isArray(value) ? value.map(ownValue) : value;
}

/** Whether a value is a tensor that stays in an engine. */
export function isKept(value: unknown): value is Tensor & { reference: Reference } {
  return value instanceof Tensor && value.reference !== undefined;
}

/** Gives back what values hold in an engine. */
export function disposeAll(values: Iterable<Value>): void {
  for (const value of values) mapTensors(value, (tensor) => tensor.dispose());
}

/** The same value with `change` applied to its tensors. */
export function mapTensors<T>(value: Value, change: (tensor: Tensor) => T): unknown {
  if (value instanceof Tensor) return change(value);
  return Array.isArray(value) ? value.map((item: Value) => mapTensors(item, change)) : value;
}

/** How a tensor that stays in a worker's engine travels: by its handle. */
export interface KeptRecord {
  readonly type: DType;
  readonly shape: readonly number[];
  readonly kept: number;
}

/** A value that was cloned from another thread: its tensors have lost their class, or are handles. */
export function revived(value: unknown, kept: (record: KeptRecord) => Tensor): Value {
  if (Array.isArray(value)) return value.map((item) => revived(item, kept));
  if (typeof value === 'object' && value !== null && 'kept' in value) return kept(value as KeptRecord);
  return isTensorLike(value) ? tensorOf(value) : (value as ValueMap | undefined);
}

/** The scalars of a map's keys or values as tensor data, and back. */
export function scalarsToTensor(scalars: Iterable<Scalar>, type: DType): Tensor {
  return new Tensor(type, [...scalars]);
}

export function tensorToScalars({ data }: Tensor): Scalar[] {
  return Array.from(data as ArrayLike<Scalar>, (value) =>
    typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
  );
}

interface AnyTensor {
  readonly type: DType;
  readonly data: TensorSource;
  readonly shape?: readonly number[];
  readonly dims?: readonly number[];
}

export function isTensorLike(value: unknown): value is AnyTensor {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    'data' in value &&
    ('shape' in value || 'dims' in value)
  );
}

function formOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (isTensorLike(value)) return `a ${value.type} tensor`;
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? `an object (${value.constructor?.name})` : `a ${typeof value}`;
}
