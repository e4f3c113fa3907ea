import type { Rectangle, Size } from '../image/fit.js';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly score: number;
  /** The index of its class. */
  readonly label: number;
}

/**
 * A box of a model's input in the pixels of the image, cut at its edges. `at` is where the image of the size `from` lies
 * in the input: `placement` of `neuromancer/image`.
 */
export function onImage(box: Box, at: Rectangle, from: Size): Box {
  const x = (value: number) => clamp(((value - at.left) * from.width) / at.width, from.width);
  const y = (value: number) => clamp(((value - at.top) * from.height) / at.height, from.height);
  return { ...box, left: x(box.left), top: y(box.top), right: x(box.right), bottom: y(box.bottom) };
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}
