// The axis of a cache along which it grows.
import type { ValueInfo } from '../api/description.js';

const batch = /batch|^b$|^n$/i;
const time = /past|len|time|cache|total|seq|ctx|context|pos|hist/i;
const cache = /past|cache|kv/i;

/** As the names of dimensions tell it; undefined for state that keeps its size. */
export function timeAxis(input: ValueInfo, output: ValueInfo): number | undefined {
  const { shape = [] } = input;
  for (const [axis, dim] of shape.entries()) {
    if (typeof dim === 'number' || (dim !== null && batch.test(dim))) continue;
    // An unnamed first dimension is the batch's, and an unnamed one of other state is one of its sizes.
    if (dim === null && (axis === 0 || shape.length < 3 || !cache.test(input.name))) continue;
    if (dim !== null && !time.test(dim) && (output.shape?.[axis] ?? dim) === dim) continue;
    return axis;
  }
  return undefined;
}
