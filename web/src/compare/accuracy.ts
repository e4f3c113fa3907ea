// How far the outputs of one session are from those of another.
import { coded } from '../api/errors.js';
import type { Session } from '../api/session.js';
import { checkedTensor, isTensorLike, type ValueLike } from '../values/values.js';
import { apart, elements } from './compare.js';

/** Of one output that both sessions have, a tensor of numbers of the same shape. */
export interface OutputAccuracy {
  readonly name: string;
  /** The largest difference of two elements, in parts of the largest number of the reference. */
  readonly largest: number;
  /** 10·log10(Σy² / Σ(x - y)²) for elements x and the reference's y, in dB; Infinity where all are the same. */
  readonly signalToNoise: number;
  /** Rows along the last axis, and in how many the largest element has the same place. */
  readonly rows: number;
  readonly sameLargest: number;
}

/**
 * Runs both sessions on the same inputs: a model that was packed with other `weights`, say, and the model itself. Outputs
 * that are no tensors of numbers, or of another shape, are left out.
 */
export function accuracy(
  session: Session,
  reference: Session,
  feeds: Readonly<Record<string, ValueLike>>,
): Promise<readonly OutputAccuracy[]> {
  return coded('The comparison failed', async () => {
    const expected = await reference.run(feeds);
    const actual = await session.run(feeds);
    return Object.entries(expected).flatMap(([name, right]) => {
      const value = actual[name];
      if (value === undefined || !isTensorLike(value) || !isTensorLike(right)) return [];
      const [is, should] = [checkedTensor(value, 'accuracy'), checkedTensor(right, 'accuracy')];
      if (is.type !== should.type || is.type === 'string' || String(is.shape) !== String(should.shape)) return [];
      return [{ name, ...accuracyOf(numbers(elements(is)), numbers(elements(should)), should.shape.at(-1) ?? 1) }];
    });
  });
}

const numbers = (from: ArrayLike<unknown>) => Float64Array.from(from as ArrayLike<number>, Number);

function accuracyOf(is: Float64Array, should: Float64Array, length: number) {
  let [largest, scale, signal, noise] = [0, 0, 0, 0];
  should.forEach((right, i) => {
    const distance = apart(is[i] as number, right);
    largest = Math.max(largest, distance);
    noise += distance * distance;
    if (!Number.isFinite(right)) return;
    scale = Math.max(scale, Math.abs(right));
    signal += right * right;
  });
  const rows = length > 0 ? should.length / length : 0;
  let sameLargest = 0;
  for (let row = 0; row < rows; row++) {
    const [begin, end] = [row * length, (row + 1) * length];
    if (place(is.subarray(begin, end)) === place(should.subarray(begin, end))) sameLargest++;
  }
  return {
    largest: largest / (scale || 1),
    signalToNoise: noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise),
    rows,
    sameLargest,
  };
}

/** Of the largest element. */
function place(row: Float64Array): number {
  return row.reduce((best, value, i) => (value > (row[best] as number) ? i : best), 0);
}
