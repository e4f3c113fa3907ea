import type { ValueInfo } from '../api/description.js';
import { NeuromancerError } from '../api/errors.js';
import { type DType, dataLength, type ElementType, elementTypes } from './dtypes.js';
import { elementCount, Tensor } from './tensor.js';
import { parseType } from './values.js';

/** Zeros for every input that must be given. Dimensions that the model leaves open are 1 unless they are given by name. */
export function zerosFor(
  inputs: readonly ValueInfo[],
  dimensions: Readonly<Record<string, number>>,
): Map<string, Tensor> {
  return new Map(inputs.filter(({ optional }) => !optional).map((input) => [input.name, zeros(input, dimensions)]));
}

function zeros({ name, type, shape }: ValueInfo, dimensions: Readonly<Record<string, number>>): Tensor {
  const { kind } = parseType(type);
  if (kind !== 'tensor') {
    throw new NeuromancerError(
      'invalid_argument',
      `Input "${name}" is a ${type}, for which there are no zeros; run the model on a value of yours.`,
    );
  }
  const given = new Map(Object.entries(dimensions));
  const sizes = (shape ?? []).map((dim) => (typeof dim === 'number' ? dim : (given.get(dim ?? '') ?? 1)));
  const elements = dataLength(type as DType, elementCount(sizes));
  const { array: TypedArrayOf }: ElementType = elementTypes[type as DType];
  return new Tensor(
    type as DType,
    TypedArrayOf === null ? Array<string>(elements).fill('') : new TypedArrayOf(elements),
    sizes,
  );
}
