import { NeuromancerError } from '../api/errors.js';
import { type DType, dataLength, type ElementType, elementTypes } from '../values/dtypes.js';
import { elementCount, type TensorLike } from '../values/tensor.js';
import type { Pair } from './pairs.js';

/**
 * What a model's state is before its first run: zeros, of no length along the time axis. Dimensions that the model
 * leaves open are 1 unless `dimensions` has them by name.
 */
export function firstState({ input, axis }: Pair, dimensions: Readonly<Record<string, number>>): TensorLike {
  const { name, type, shape } = input;
  if (shape === undefined) {
    throw new NeuromancerError(
      'invalid_argument',
      `The model does not say how many dimensions its state "${name}" has; give its first value with the option "initial".`,
      { input: name },
    );
  }
  const sizes = shape.map((dim, i) => {
    if (typeof dim === 'number') return dim;
    if (dim !== null && Object.hasOwn(dimensions, dim)) return dimensions[dim] as number;
    return i === axis ? 0 : 1;
  });
  const { array: TypedArrayOf }: ElementType = elementTypes[type as DType];
  const length = dataLength(type as DType, elementCount(sizes));
  return {
    type: type as DType,
    data: TypedArrayOf === null ? Array<string>(length).fill('') : new TypedArrayOf(length),
    shape: sizes,
  };
}
