// Bilinear resizing that averages what it makes smaller (a triangle as wide as the scale says), as Pillow's and torch's
// with antialias. Colours count as much as their alpha.
import type { Rectangle, Size } from './fit.js';

/** Bytes of red, green, blue and alpha for each pixel. */
export interface Rgba extends Size {
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Red, green and blue, 0 to 255. */
export type Colour = readonly number[];

/** Draws the image into the rectangle of one of the size `to`. Free and transparent places: see `Opened`. */
export function resize(image: Rgba, to: Size, at: Rectangle, background: Colour | undefined): Uint8ClampedArray {
  const { data, width, height } = image;
  const columns = taps(width, at.left, at.width, to.width);
  const rows = taps(height, at.top, at.height, to.height);
  const values = opaque(data) ? data : premultiplied(data);
  // Every row that counts in the new width, then columns of these.
  const across = new Float32Array(4 * to.width * height);
  const end = rows.reduce((last, { first, weights }) => Math.max(last, first + weights.length), 0);
  const top = rows.find(({ weights }) => weights.length > 0)?.first ?? 0;
  for (let y = top; y < end; y++) {
    for (let x = 0; x < to.width; x++) {
      mix(across, 4 * (y * to.width + x), values, 4 * y * width, 4, columns[x] as Taps);
    }
  }
  const out = new Uint8ClampedArray(4 * to.width * to.height);
  const pixel = new Float32Array(4);
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      mix(pixel, 0, across, 4 * x, 4 * to.width, rows[y] as Taps);
      finish(pixel, out, 4 * (y * to.width + x), background);
    }
  }
  return out;
}

/** The pixels that one of the result is made of; none where the image does not reach. */
interface Taps {
  readonly first: number;
  readonly weights: Float32Array;
}

const nothing: Taps = { first: 0, weights: new Float32Array(0) };

/** For each of `length` pixels, of which the image of `from` pixels takes `span` from `start`. */
function taps(from: number, start: number, span: number, length: number): Taps[] {
  const scale = from / span;
  const reach = Math.max(1, scale);
  return Array.from({ length }, (_, i) => {
    if (i < start || i >= start + span) return nothing;
    const middle = (i + 0.5 - start) * scale;
    const first = Math.max(0, Math.round(middle - reach));
    const end = Math.min(from, Math.round(middle + reach));
    const weights = Float32Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - middle) / reach),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

type Values = Uint8Array | Uint8ClampedArray | Float32Array;

/** Writes to `out` the mixture of pixels that lie `step` apart, those of `taps` counted from `start`. */
function mix(
  out: Float32Array,
  to: number,
  values: Values,
  start: number,
  step: number,
  { first, weights }: Taps,
): void {
  let red = 0;
  let green = 0;
  let blue = 0;
  let alpha = 0;
  for (let k = 0, at = start + first * step; k < weights.length; k++, at += step) {
    const weight = weights[k] as number;
    red += weight * (values[at] as number);
    green += weight * (values[at + 1] as number);
    blue += weight * (values[at + 2] as number);
    alpha += weight * (values[at + 3] as number);
  }
  out[to] = red;
  out[to + 1] = green;
  out[to + 2] = blue;
  out[to + 3] = alpha;
}

/** Bytes of a pixel whose colours are multiplied with its alpha. */
function finish(pixel: Float32Array, out: Uint8ClampedArray, at: number, background: Colour | undefined): void {
  const alpha = pixel[3] as number;
  for (let channel = 0; channel < 3; channel++) {
    const value = pixel[channel] as number;
    if (background !== undefined) {
      out[at + channel] = value + ((255 - alpha) / 255) * (background[channel] as number);
    } else if (alpha > 0) out[at + channel] = (255 * value) / alpha;
  }
  out[at + 3] = background === undefined ? alpha : 255;
}

export function opaque(data: Uint8Array | Uint8ClampedArray): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false;
  return true;
}

function premultiplied(data: Uint8Array | Uint8ClampedArray): Float32Array {
  const values = Float32Array.from(data);
  for (let i = 0; i < values.length; i += 4) {
    const share = (values[i + 3] as number) / 255;
    for (let channel = 0; channel < 3; channel++) values[i + channel] = (values[i + channel] as number) * share;
  }
  return values;
}
