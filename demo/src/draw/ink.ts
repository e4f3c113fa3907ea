// From pen strokes to the network's input, as models/handwriting/strokes.py and train.py do it for training: the
// strokes' bounding box is scaled to BOX, centred in the frame, and drawn again with a round pen of one width, so that
// neither the size of the drawing nor the thickness of its lines matters.

export interface Point {
  x: number;
  y: number;
}
export type Stroke = readonly Point[];

export const size = 28;
const box = 20;
const penWidth = 2.4;

/** Ink from 0 to 1 for each pixel of the frame, row by row. */
export function render(strokes: readonly Stroke[]): Float32Array {
  const ink = new Float32Array(size * size);
  const lines = segments(strokes);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let nearest = Number.POSITIVE_INFINITY;
      for (const line of lines) nearest = Math.min(nearest, distance(x + 0.5, y + 0.5, line));
      ink[y * size + x] = Math.min(1, Math.max(0, penWidth / 2 + 0.5 - nearest));
    }
  }
  return ink;
}

/** Whether all there is lies within a fiftieth of the pad: a tap, which any network takes for something. */
export function isDot(strokes: readonly Stroke[]): boolean {
  const points = strokes.flat();
  const extent = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  return Math.max(extent(points.map(({ x }) => x)), extent(points.map(({ y }) => y))) < 0.02;
}

interface Segment {
  a: Point;
  b: Point;
}

function segments(strokes: readonly Stroke[]): Segment[] {
  const points = strokes.flat();
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = box / Math.max(right - left, bottom - top, 1e-6);
  const place = ({ x, y }: Point): Point => ({
    x: size / 2 + (x - (left + right) / 2) * scale,
    y: size / 2 + (y - (top + bottom) / 2) * scale,
  });
  return strokes.flatMap((stroke) => {
    const placed = stroke.map(place);
    return placed.map((b, i) => ({ a: placed[Math.max(0, i - 1)] as Point, b }));
  });
}

function distance(x: number, y: number, { a, b }: Segment): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = ((x - a.x) * dx + (y - a.y) * dy) / Math.max(dx * dx + dy * dy, 1e-9);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x - a.x - share * dx, y - a.y - share * dy);
}
