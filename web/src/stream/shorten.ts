import { NeuromancerError } from '../api/errors.js';
import { elementTypes, type TypedArray } from '../values/dtypes.js';
import type { TensorLike } from '../values/tensor.js';

/** The first `length` positions along an axis, as a copy. */
export function shorten({ type, data, shape }: TensorLike, axis: number, length: number): TensorLike {
  const { lanes } = elementTypes[type];
  if (!Number.isInteger(lanes) || !ArrayBuffer.isView(data)) {
    throw new NeuromancerError('type_mismatch', `State of the type ${type} cannot be shortened.`);
  }
  const from = data as TypedArray;
  const before = shape.slice(0, axis).reduce((product, dim) => product * dim, 1);
  const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, lanes);
  const [whole, part] = [(shape[axis] as number) * inner, length * inner];
  const Elements = from.constructor as { new (length: number): TypedArray };
  const out = new Elements(before * part);
  for (let i = 0; i < before; i++) out.set(from.subarray(i * whole, i * whole + part) as never, i * part);
  return { type, data: out, shape: shape.map((dim, i) => (i === axis ? length : dim)) };
}
