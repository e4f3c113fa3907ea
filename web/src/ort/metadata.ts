// What a session says of its inputs and outputs, in onnxruntime's words.
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { ValueInfo } from '../api/description.js';
import { NeuromancerError } from '../api/errors.js';
import { describe } from '../values/tensor.js';
import { parseType } from '../values/values.js';

/** Dimensions that the caller has fixed, by their names in the model. */
export type Overrides = Readonly<Record<string, number>>;

/** The input or output with the dimensions that are fixed. */
export function withOverrides(info: ValueInfo, overrides: Overrides): ValueInfo {
  if (info.shape === undefined) return info;
  const known = (dim: number | string | null) =>
    typeof dim === 'string' && Object.hasOwn(overrides, dim) ? (overrides[dim] as number) : dim;
  return { ...info, shape: info.shape.map(known) };
}

/** A dimension without a number or name is -1, and a shape of which nothing is known is empty, as onnxruntime has it. */
export function metadataOf({ name, type, shape = [] }: ValueInfo): InferenceSession.ValueMetadata {
  if (parseType(type).kind !== 'tensor') return { name, isTensor: false, type } as InferenceSession.ValueMetadata;
  return { name, isTensor: true, type: type as Tensor.Type, shape: shape.map((dim) => dim ?? -1) };
}

/** Refuses a tensor that is of another size than the caller has fixed. */
export function checkOverridden(info: ValueInfo, dims: readonly number[]): void {
  const { name, type, shape } = info;
  if (shape === undefined || shape.length !== dims.length) return;
  if (shape.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis])) return;
  throw new NeuromancerError(
    'shape_mismatch',
    `Input "${name}" is ${describe(type, shape)}, of which freeDimensionOverrides fixes dimensions, but ${describe(type, dims)} was given.`,
    { input: name, expected: describe(type, shape), actual: describe(type, dims) },
  );
}
