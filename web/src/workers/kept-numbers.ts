// Tensors that stay in the worker, on their way as numbers, all of a run in one array: a decoder's cache is sixty tensors,
// and to clone an object for each takes 4 us.

import { dtypeOfNumber, elementTypes } from '../values/dtypes.js';
import type { KeptRecord } from '../values/values.js';

/** Pairs of an input's number and a handle. */
export type KeptInputs = readonly number[];
/** For each an output's number, its handle, its element type's number, its rank and its dimensions. */
export type KeptOutputs = readonly number[];

export function outputNumbers(output: number, { type, shape, kept }: KeptRecord): number[] {
  return [output, kept, elementTypes[type].number, shape.length, ...shape];
}

export function keptOutputs(numbers: KeptOutputs): [output: number, record: KeptRecord][] {
  const found: [number, KeptRecord][] = [];
  for (let at = 0; at < numbers.length; ) {
    const [output, kept, type, rank] = numbers.slice(at, at + 4) as [number, number, number, number];
    at += 4 + rank;
    found.push([
      output,
      { type: dtypeOfNumber(type) as KeptRecord['type'], shape: numbers.slice(at - rank, at), kept },
    ]);
  }
  return found;
}
