import { NeuromancerError } from '../api/errors.js';
import { checkOptions, type OptionRules } from '../api/names.js';
import type { Size } from '../image/fit.js';
import { floatsOf } from '../values/floats.js';
import type { TensorLike } from '../values/tensor.js';
import { best } from './best.js';
import type { Box } from './box.js';

/** Left, top, right, bottom; or the middle's x and y, width and height. */
export type BoxForm = 'corners' | 'center';

export interface BoxOptions {
  /** Boxes with a lower score are left out; by default 0.5. */
  threshold?: number;
  /** By default "corners". */
  form?: BoxForm;
  /** The index of the class that stands for "nothing", which is not looked at; by default there is none. */
  background?: number;
  /** The size of the model's input where boxes are shares of it; by default they are in pixels. */
  size?: Size;
}

const isNumber = (value: unknown) => typeof value === 'number' && !Number.isNaN(value);
/** @internal */
export const threshold = ['a number', isNumber] as const;
/** @internal */
export const size = [
  '{ width, height }',
  (value: unknown) => isNumber((value as Size | null)?.width) && isNumber((value as Size | null)?.height),
] as const;

const rules: OptionRules = {
  threshold,
  form: ['"corners" or "center"', (value) => value === 'corners' || value === 'center'],
  background: ['the index of a class', (value) => Number.isInteger(value)],
  size,
};

/**
 * Boxes of detectors that give boxes [n, 4] and scores [n, classes] as two outputs (SSD, UltraFace, DETR after softmax):
 * of each the class with the highest score. Nothing is suppressed yet.
 */
export function decodeBoxes(boxes: TensorLike, scores: TensorLike, options: BoxOptions = {}): Box[] {
  checkOptions('decodeBoxes', options, rules);
  const [places, values] = [floatsOf(boxes, 'decodeBoxes'), floatsOf(scores, 'decodeBoxes')];
  const {
    background = -1,
    form = 'corners',
    threshold: least = 0.5,
    size: { width, height } = { width: 1, height: 1 },
  } = options;
  const count = places.length / 4;
  const classes = scores.shape.at(-1) ?? 0;
  if (boxes.shape.at(-1) !== 4 || classes === 0 || values.length !== count * classes) {
    throw new NeuromancerError(
      'shape_mismatch',
      `decodeBoxes takes boxes of the shape [n,4] and scores [n,classes], not [${boxes.shape.join(',')}] and [${scores.shape.join(',')}].`,
    );
  }
  const found: Box[] = [];
  for (let i = 0; i < count; i++) {
    const { score, label } = best(values, i * classes, 1, classes, background);
    if (!(score >= least)) continue;
    const [a, b, c, d] = places.subarray(4 * i, 4 * i + 4) as unknown as Four;
    const place: Four = [a * width, b * height, c * width, d * height];
    found.push({ ...(form === 'corners' ? corners(place) : around(place)), score, label });
  }
  return found;
}

type Four = [number, number, number, number];

function corners([left, top, right, bottom]: Four) {
  return { left, top, right, bottom };
}

/** @internal */
export function around([x, y, width, height]: Four) {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}
