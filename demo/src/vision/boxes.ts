import type { Placement } from './picture.ts';

/** A box in the picture's pixels. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
  score: number;
  /** Index of the class; 0 where there is only one. */
  label: number;
}

/** Keeps the best of boxes of one class that overlap by more than `overlap` (intersection over union). */
export function suppress(boxes: readonly Box[], overlap: number): Box[] {
  const kept: Box[] = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score)) {
    if (!kept.some((other) => other.label === box.label && intersectionOverUnion(other, box) > overlap)) kept.push(box);
  }
  return kept;
}

export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (area(a) + area(b) - intersection);
}

function area({ left, top, right, bottom }: Box): number {
  return (right - left) * (bottom - top);
}

/** UltraFace: `scores` [n][background, face] and `corners` [n][left, top, right, bottom] as shares of the input. */
export function decodeFaces(
  scores: Float32Array,
  corners: Float32Array,
  size: { width: number; height: number },
  placement: Placement,
  threshold = 0.7,
): Box[] {
  const boxes: Box[] = [];
  for (let i = 0; i < scores.length / 2; i++) {
    const score = scores[2 * i + 1] as number;
    if (score < threshold) continue;
    const [left, top, right, bottom] = corners.subarray(4 * i, 4 * i + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    boxes.push({
      ...toPicture(left * size.width, top * size.height, right * size.width, bottom * size.height, placement),
      score,
      label: 0,
    });
  }
  return suppress(boxes, 0.3);
}

/**
 * YOLOX: rows of [x, y, log width, log height, objectness, class scores…] for every cell of grids with strides 8, 16
 * and 32, in units of the cell.
 */
export function decodeYolox(
  rows: Float32Array,
  classes: number,
  size: { width: number; height: number },
  placement: Placement,
  threshold = 0.35,
): Box[] {
  const boxes: Box[] = [];
  const length = 5 + classes;
  let row = 0;
  for (const stride of [8, 16, 32]) {
    for (let y = 0; y < size.height / stride; y++) {
      for (let x = 0; x < size.width / stride; x++, row++) {
        const values = rows.subarray(row * length, (row + 1) * length);
        const scores = values.subarray(5);
        const label = scores.reduce((best, score, i) => (score > (scores[best] as number) ? i : best), 0);
        const score = (values[4] as number) * (scores[label] as number);
        if (score < threshold) continue;
        const [centerX, centerY] = [((values[0] as number) + x) * stride, ((values[1] as number) + y) * stride];
        const [width, height] = [Math.exp(values[2] as number) * stride, Math.exp(values[3] as number) * stride];
        const box = toPicture(
          centerX - width / 2,
          centerY - height / 2,
          centerX + width / 2,
          centerY + height / 2,
          placement,
        );
        boxes.push({ ...box, score, label });
      }
    }
  }
  return suppress(boxes, 0.45);
}

function toPicture(left: number, top: number, right: number, bottom: number, placement: Placement) {
  const { scaleX, scaleY, left: shiftX, top: shiftY } = placement;
  return {
    left: (left - shiftX) / scaleX,
    top: (top - shiftY) / scaleY,
    right: (right - shiftX) / scaleX,
    bottom: (bottom - shiftY) / scaleY,
  };
}
