// A model of 4.5 GB, which is nearly all zeros: in a sparse file it takes no disk. Its weights are 43 square matrices; in each
// of them only a block at its beginning and one at its end have numbers, so that both must have come to the right place.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { modelOf } from '../../web/tests/onnx-writer.ts';

const width = 5120;
const layers = 42;
const block = 16;
const matrixBytes = 4 * width * width;

export const weightBytes = (layers + 1) * matrixBytes;
/** The row of the table, the last matrix of the file. */
export const row = width - 1;

const numbers = Array.from({ length: layers }, (_, i) => i);
const square = (matrix: number) => ({ dims: [width, width], file: 'weights', offset: matrix * matrixBytes });

/** y = the table's row, each number in the blocks moved one place further and one larger by each layer. */
export const model = modelOf(
  [
    { op: 'Gather', inputs: ['table', 'row'], outputs: ['x0'] },
    ...numbers.flatMap((i) => [
      { op: 'MatMul', inputs: [`x${i}`, `w${i}`], outputs: [`product${i}`] },
      { op: 'Add', inputs: [`product${i}`, 'one'], outputs: [i + 1 === layers ? 'y' : `x${i + 1}`] },
    ]),
  ],
  { row: 'int64[1]' },
  { y: `float32[1,${width}]` },
  {
    weights: {
      one: { dims: [width], data: Array(width).fill(1) },
      table: square(layers),
      ...Object.fromEntries(numbers.map((i) => [`w${i}`, square(i)])),
    },
  },
);

/** The places of the blocks' numbers, in a row or a column. */
const starts = [0, width - block];

export function writeWeights(path: string): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, weightBytes);
  const write = (matrix: number, at: number, column: number, value: number) =>
    writeSync(file, Float32Array.of(value), 0, 4, matrix * matrixBytes + 4 * (at * width + column));
  for (const start of starts) {
    for (let i = 0; i < block; i++) {
      for (const matrix of numbers) write(matrix, start + i, start + ((i + 1) % block), 1);
      write(layers, row, start + i, start + i);
    }
  }
  closeSync(file);
}

/** What is wrong with the results; empty when nothing is. */
export function mistakes(y: ArrayLike<number>): string[] {
  const expected = new Float32Array(width).fill(1);
  for (const start of starts) {
    for (let i = 0; i < block; i++) expected[start + ((i + layers) % block)] = start + i + layers;
  }
  const length = y.length === width ? [] : [`${y.length} numbers in place of ${width}`];
  return [...length, ...[...expected].flatMap((each, i) => (each === y[i] ? [] : [`y[${i}] is ${y[i]}, not ${each}`]))];
}
