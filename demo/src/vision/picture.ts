import { Tensor } from 'neuromancer';
import type { PictureInput } from '../catalogue.ts';

/** Where the picture lies inside the network's input, in its pixels: scale and offset from picture to input. */
export interface Placement {
  scaleX: number;
  scaleY: number;
  left: number;
  top: number;
}

export interface Prepared {
  tensor: Tensor;
  placement: Placement;
}

export function place(input: PictureInput, width: number, height: number): Placement {
  const [x, y] = [input.width / width, input.height / height];
  if (input.fit === 'stretch') return { scaleX: x, scaleY: y, left: 0, top: 0 };
  const scale = input.fit === 'cover' ? Math.max(x, y) : Math.min(x, y);
  const center = input.fit === 'cover' ? 0.5 : 0;
  return {
    scaleX: scale,
    scaleY: scale,
    left: (input.width - width * scale) * center,
    top: (input.height - height * scale) * center,
  };
}

/** The picture as the tensor that the network expects. */
export function prepare(picture: ImageBitmap, input: PictureInput): Prepared {
  const placement = place(input, picture.width, picture.height);
  const { scaleX, scaleY, left, top } = placement;
  const canvas = new OffscreenCanvas(input.width, input.height);
  const context = canvas.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  const pad = input.pad ?? 0;
  context.fillStyle = `rgb(${pad} ${pad} ${pad})`;
  context.fillRect(0, 0, input.width, input.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, left, top, picture.width * scaleX, picture.height * scaleY);
  return { tensor: toTensor(context.getImageData(0, 0, input.width, input.height).data, input), placement };
}

/** `pixels`: red, green, blue and alpha of each pixel, 0 to 255. */
export function toTensor(pixels: ArrayLike<number>, input: PictureInput): Tensor {
  const { width, height, layout, mean, scale } = input;
  const area = width * height;
  const order = input.channels === 'bgr' ? [2, 1, 0] : input.channels === 'rgb' ? [0, 1, 2] : [0];
  const channels = order.length;
  const values = new Float32Array(area * channels);
  order.forEach((source, channel) => {
    const [shift, factor] = [mean[channel] ?? 0, scale[channel] ?? 1];
    for (let i = 0; i < area; i++) {
      const at = layout === 'nchw' ? channel * area + i : i * channels + channel;
      const pixel = channels === 1 ? luminance(pixels, 4 * i) : (pixels[4 * i + source] as number);
      values[at] = (pixel - shift) * factor;
    }
  });
  const shape = layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels];
  return new Tensor(input.type, input.type === 'uint8' ? Uint8Array.from(values) : values, shape);
}

function luminance(pixels: ArrayLike<number>, at: number): number {
  const [red, green, blue] = [pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number];
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}
