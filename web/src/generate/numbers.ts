import { type DType, elementTypes, type TypedArray } from '../values/dtypes.js';
import { float32ToFloat16 } from '../values/float16.js';
import type { TensorLike } from '../values/tensor.js';

/** A tensor of whole numbers in the type that an input has. */
export function numbers(type: string, values: readonly number[], shape: readonly number[]): TensorLike {
  const dtype = type as DType;
  if (dtype === 'float16') return { type: dtype, data: float32ToFloat16(values), shape };
  const TypedArrayOf = elementTypes[dtype].array as unknown as { from(list: unknown[]): TypedArray };
  const wide = dtype === 'int64' || dtype === 'uint64';
  return { type: dtype, data: TypedArrayOf.from(wide ? values.map(BigInt) : [...values]), shape };
}
