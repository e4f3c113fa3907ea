import { NeuromancerError } from '../api/errors.js';
import { checkOptions } from '../api/names.js';
import type { GlobalOf } from '../host/host-types.js';
import { floatsOf } from '../values/floats.js';
import type { TensorLike } from '../values/tensor.js';
import {
  type Channels,
  channelBytes,
  type Layout,
  type Normalisation,
  normalisationRules,
  perChannel,
} from './normalisation.js';
import type { Pixels } from './source.js';

/** How the tensor came to its values: byte = (value × std + mean) ÷ scale, rounded, and kept within 0 to 255. */
export interface ImageDataOptions extends Normalisation {
  /** By default "nchw". */
  layout?: Layout;
  /** By default what as many channels as there are most often are: "gray", "rgb" or "rgba". */
  channels?: Channels;
}

/** An ImageData, in hosts without it an object of its form. */
export type PixelsOut = GlobalOf<'ImageData', Pixels>;

const usual: Readonly<Record<number, Channels>> = { 1: 'gray', 3: 'rgb', 4: 'rgba' };

/**
 * An image from a tensor of one, of numbers of any type but int64, of the shape [1, channels, height, width] or
 * [channels, height, width], with the layout "nhwc" [1, height, width, channels] or [height, width, channels], or of gray
 * ones [height, width]. The scale is 1/255 by default, of uint8 1. Throws `type_mismatch` or `shape_mismatch` for others.
 */
export function toImageData(tensor: TensorLike, options: ImageDataOptions = {}): PixelsOut {
  checkOptions('toImageData', options, normalisationRules);
  const { type, shape } = tensor;
  const values = valuesOf(tensor);
  const { layout = 'nchw' } = options;
  const [height, width, count] = sidesOf(shape, layout);
  const channels = options.channels ?? usual[count];
  const order = channels === undefined ? undefined : channelBytes[channels];
  const pixels = height * width;
  if (order?.length !== count || values.length !== pixels * count || pixels === 0) {
    throw new NeuromancerError(
      'shape_mismatch',
      `A tensor of the shape [${shape.join(',')}] with ${values.length} values is no ${channels ?? 'gray, rgb or rgba'} image of the layout "${layout}".`,
    );
  }
  const { scale, mean, std } = perChannel(type === 'uint8' ? { scale: 1, ...options } : options, count);
  const data = new Uint8ClampedArray(4 * pixels).fill(255);
  const [next, plane] = layout === 'nchw' ? [1, pixels] : [count, 1];
  order.forEach((byte, channel) => {
    const [factor, offset] = [(std[channel] as number) / scale, (mean[channel] as number) / scale];
    for (let i = 0; i < pixels; i++) {
      data[4 * i + byte] = (values[channel * plane + i * next] as number) * factor + offset;
    }
  });
  if (count === 1) spreadRed(data);
  const plain = { data, width, height };
  return (typeof ImageData === 'function' ? new ImageData(data, width, height) : plain) as PixelsOut;
}

function valuesOf(tensor: TensorLike): Float32Array | Uint8Array {
  return tensor?.type === 'uint8' ? (tensor.data as Uint8Array) : floatsOf(tensor, 'toImageData');
}

function sidesOf(shape: readonly number[], layout: Layout): readonly [height: number, width: number, channels: number] {
  const sides = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : [...shape];
  if (sides.length === 2) sides.splice(layout === 'nchw' ? 0 : 2, 0, 1);
  if (sides.length !== 3) {
    throw new NeuromancerError(
      'shape_mismatch',
      `A tensor of the shape [${shape.join(',')}] is not one image: take one of a batch with data.subarray().`,
    );
  }
  const [first, second, third] = sides as [number, number, number];
  return layout === 'nchw' ? [second, third, first] : [first, second, third];
}

function spreadRed(data: Uint8ClampedArray): void {
  for (let i = 0; i < data.length; i += 4) data[i + 1] = data[i + 2] = data[i] as number;
}
