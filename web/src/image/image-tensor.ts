import { coded, NeuromancerError } from '../api/errors.js';
import { checkOptions, type OptionRules, plainly } from '../api/names.js';
import type { TensorLike } from '../values/tensor.js';
import { type Fit, placement, type Size } from './fit.js';
import {
  type Channels,
  channelBytes,
  type Layout,
  type Normalisation,
  normalisationRules,
  oneOf,
  type PixelData,
  type PixelType,
  valueTables,
} from './normalisation.js';
import { type ImageSource, openImage } from './source.js';

export interface ImageOptions extends Normalisation {
  /**
   * The tensor's width and height in pixels, one number for both. Of a width or a height alone the other follows, in the
   * image's proportions. By default the image's own.
   */
  size?: number | Partial<Size>;
  /** By default "cover". */
  fit?: Fit;
  /** Where the image lies when `fit` leaves bars or crops: in the middle (the default), or at the left and top. */
  position?: 'center' | 'start';
  /** Red, green and blue, 0 to 255, of bars and behind transparent images; by default black. Not of "rgba". */
  background?: readonly number[];
  /** By default "nchw". */
  layout?: Layout;
  /** By default "rgb". */
  channels?: Channels;
  /** By default "float32". "uint8" takes the bytes as they are. */
  dtype?: PixelType;
}

/** A tensor of one image: [1, channels, height, width], or with the layout "nhwc" [1, height, width, channels]. */
export interface ImageTensor extends TensorLike {
  readonly type: PixelType;
  readonly data: PixelData;
  readonly shape: readonly [number, number, number, number];
}

/** The longest side of a tensor, and about what canvases allow. */
const longest = 16384;

const isSide = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= longest;
const isSize = (value: unknown) => {
  if (typeof value !== 'object' || value === null) return isSide(value);
  const given = Object.entries(value).filter(([, side]) => side !== undefined);
  return given.length > 0 && given.every(([name, side]) => /^(width|height)$/.test(name) && isSide(side));
};

const rules: OptionRules = {
  size: [`a whole number of pixels, 1 to ${longest}, or { width, height } of such`, isSize],
  fit: oneOf('cover', 'contain', 'fill'),
  position: oneOf('center', 'start'),
  background: [
    'three numbers of 0 to 255',
    (value) => Array.isArray(value) && value.length === 3 && value.every((byte) => byte >= 0 && byte <= 255),
  ],
  dtype: oneOf('float32', 'float16', 'uint8'),
  ...normalisationRules,
};

/**
 * The pixels of an image as a tensor, which any session's `run` takes. What the browser can draw is scaled by it; bytes
 * and ImageData are scaled here, the same in every host. Rejects with `invalid_argument` for what is no image or option,
 * and with `invalid_data` for images without pixels.
 */
export function imageTensor(source: ImageSource, options: ImageOptions = {}): Promise<ImageTensor> {
  return coded('The image could not be read', async () => {
    checkOptions('imageTensor', options, rules);
    const { fit, position, channels = 'rgb', layout = 'nchw', dtype = 'float32', background = [0, 0, 0] } = options;
    const tables = valueTables(dtype, options, channelBytes[channels].length);
    const image = await openImage(source);
    try {
      const size = sizeFor(image, options.size);
      const at = placement(image, size, fit, position);
      const bytes = image.read(size, at, channels === 'rgba' ? undefined : background);
      if (channels === 'gray') lumaIntoRed(bytes);
      return tensorOf(bytes, size, dtype, channels, layout, tables);
    } finally {
      image.close();
    }
  });
}

function sizeFor(image: Size, wanted: ImageOptions['size']): Size {
  const given = typeof wanted === 'number' ? { width: wanted, height: wanted } : (wanted ?? image);
  const width = given.width ?? Math.max(1, Math.round((image.width * (given.height as number)) / image.height));
  const height = given.height ?? Math.max(1, Math.round((image.height * width) / image.width));
  if (isSide(width) && isSide(height)) return { width, height };
  throw new NeuromancerError(
    'invalid_argument',
    `The tensor of the image would have ${plainly(width)} × ${plainly(height)} pixels; choose a "size" of at most ${longest}.`,
  );
}

const arrays = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array };

function tensorOf(
  bytes: Uint8ClampedArray,
  { width, height }: Size,
  type: PixelType,
  channels: Channels,
  layout: Layout,
  tables: readonly PixelData[],
): ImageTensor {
  const pixels = width * height;
  const count = tables.length;
  const data = new arrays[type](pixels * count);
  const [next, plane] = layout === 'nchw' ? [1, pixels] : [count, 1];
  channelBytes[channels].forEach((byte, channel) => {
    fillChannel(data, channel * plane, next, bytes, byte, tables[channel] as PixelData);
  });
  return { type, data, shape: layout === 'nchw' ? [1, count, height, width] : [1, height, width, count] };
}

function fillChannel(
  data: PixelData,
  first: number,
  next: number,
  bytes: Uint8ClampedArray,
  byte: number,
  table: PixelData,
): void {
  for (let from = byte, at = first; from < bytes.length; from += 4, at += next) {
    data[at] = table[bytes[from] as number] as number;
  }
}

/** In integers, as Pillow has it. */
function lumaIntoRed(bytes: Uint8ClampedArray): void {
  for (let i = 0; i < bytes.length; i += 4) {
    const [red, green, blue] = [bytes[i] as number, bytes[i + 1] as number, bytes[i + 2] as number];
    bytes[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
}
