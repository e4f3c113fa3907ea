import { NeuromancerError } from '../api/errors.js';
import { checkOptions, type OptionRules } from '../api/names.js';
import type { Size } from '../image/fit.js';
import { floatsOf } from '../values/floats.js';
import type { TensorLike } from '../values/tensor.js';
import { best } from './best.js';
import type { Box } from './box.js';
import { around, size, threshold } from './boxes.js';

export interface YoloOptions {
  /** Boxes with a lower score are left out; by default 0.25. */
  threshold?: number;
  /**
   * Whether a box has a score of its own before those of the classes, as up to version 7 and in YOLOX; by default where
   * boxes are rows.
   */
  objectness?: boolean;
  /** The grids' steps in pixels, where boxes are relative to the cells of grids (YOLOX: [8, 16, 32]); with `size`. */
  strides?: readonly number[];
  /** The size of the model's input, for `strides`. */
  size?: Size;
}

const rules: OptionRules = {
  threshold,
  objectness: ['true or false', (value) => typeof value === 'boolean'],
  strides: [
    'a list of whole numbers of pixels',
    (value) => Array.isArray(value) && value.every((stride) => Number.isInteger(stride) && stride > 0),
  ],
  size,
};

/**
 * Boxes of the YOLO family's one output: [n, 4 + classes], each box a row (with objectness [n, 5 + classes]), or
 * [4 + classes, n]; the longer axis is taken for the boxes. Of each the class with the highest score. In pixels of the
 * model's input; nothing is suppressed yet.
 */
export function decodeYolo(output: TensorLike, options: YoloOptions = {}): Box[] {
  checkOptions('decodeYolo', options, rules);
  const values = floatsOf(output, 'decodeYolo');
  const [first = 0, last = 0] = output.shape.slice(-2);
  const rows = first >= last;
  const { threshold: least = 0.25, objectness = rows } = options;
  const [count, length] = rows ? [first, last] : [last, first];
  const classes = length - (objectness ? 5 : 4);
  if (classes < 1 || values.length !== count * length) {
    throw new NeuromancerError(
      'shape_mismatch',
      `decodeYolo takes one image's boxes, [n,${objectness ? 5 : 4} + classes] or the other way round, not [${output.shape.join(',')}].`,
    );
  }
  const [next, step] = rows ? [length, 1] : [1, count];
  const cells = options.strides === undefined ? undefined : gridCells(options.strides, options.size, count);
  const found: Box[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * next;
    const value = (field: number) => values[at + field * step] as number;
    const { score: share, label } = best(values, at + (length - classes) * step, step, classes, -1);
    const score = objectness ? share * value(4) : share;
    if (!(score >= least)) continue;
    const cell = cells?.[i];
    const place: [number, number, number, number] =
      cell === undefined
        ? [value(0), value(1), value(2), value(3)]
        : [
            (value(0) + cell.x) * cell.stride,
            (value(1) + cell.y) * cell.stride,
            Math.exp(value(2)) * cell.stride,
            Math.exp(value(3)) * cell.stride,
          ];
    found.push({ ...around(place), score, label });
  }
  return found;
}

/** The cells of all grids in the order of the boxes: row by row, the finest grid first. */
function gridCells(strides: readonly number[], input: Size | undefined, count: number) {
  const { width, height } = input ?? { width: 0, height: 0 };
  const grids = strides.map((stride) => ({
    stride,
    columns: Math.ceil(width / stride),
    rows: Math.ceil(height / stride),
  }));
  const cells = grids.reduce((sum, { columns, rows }) => sum + columns * rows, 0);
  if (cells !== count) {
    throw new NeuromancerError(
      'shape_mismatch',
      `The grids of ${width} × ${height} pixels with the strides ${strides.join(', ')} have ${cells} cells, but there are ${count} boxes; ` +
        'give the size of the model\'s input as "size".',
      { expected: `${cells} boxes`, actual: `${count} boxes` },
    );
  }
  return grids.flatMap(({ stride, columns, rows }) =>
    Array.from({ length: columns * rows }, (_, i) => ({ stride, x: i % columns, y: Math.floor(i / columns) })),
  );
}
