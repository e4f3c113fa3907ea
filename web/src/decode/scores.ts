import { NeuromancerError } from '../api/errors.js';
import { plainly } from '../api/names.js';
import { floatsOf } from '../values/floats.js';
import { softmax as softmaxOf } from '../values/softmax.js';
import type { TensorLike } from '../values/tensor.js';

/** Probabilities from logits: those of each row of the last axis add up to 1. */
export function softmax(logits: TensorLike): TensorLike {
  const values = floatsOf(logits, 'softmax');
  const { shape } = logits;
  const length = shape.at(-1) ?? 1;
  const data = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += length) data.set(softmaxOf(values.subarray(at, at + length)), at);
  return { type: 'float32', data, shape };
}

export interface Ranked {
  readonly index: number;
  readonly score: number;
  /** Where labels were given. */
  readonly label?: string;
}

/** The `count` highest scores of one row, best first, of equal ones the first; NaN is none. */
export function topK(scores: TensorLike, count = 5, labels?: readonly string[]): Ranked[] {
  const values = floatsOf(scores, 'topK');
  if (!Number.isInteger(count) || count < 1) {
    throw new NeuromancerError('invalid_argument', `topK gives 1 or more scores, not ${plainly(count)}.`);
  }
  if (values.length !== (scores.shape.at(-1) ?? 1)) {
    throw new NeuromancerError(
      'shape_mismatch',
      `topK takes the scores of one row, but the shape [${scores.shape.join(',')}] has several.`,
    );
  }
  const order: number[] = [];
  values.forEach((score, index) => {
    if (!Number.isNaN(score)) order.push(index);
  });
  order.sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
  return order.slice(0, count).map((index) => {
    const label = labels?.[index];
    return { index, score: values[index] as number, ...(label === undefined ? {} : { label }) };
  });
}
