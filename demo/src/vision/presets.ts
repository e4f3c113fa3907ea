import type { Session } from 'neuromancer';
import type { PictureInput } from '../catalogue.ts';

type Scaling = Pick<PictureInput, 'channels' | 'mean' | 'scale'>;

const same = (value: number) => [value, value, value];

/** How published ImageNet models expect their pixels. */
export const presets = {
  torchvision: {
    text: 'ImageNet mean and deviation (torchvision, timm)',
    channels: 'rgb',
    mean: [123.675, 116.28, 103.53],
    scale: [1 / 58.395, 1 / 57.12, 1 / 57.375],
  },
  unit: { text: '0 to 1', channels: 'rgb', mean: same(0), scale: same(1 / 255) },
  signed: { text: '−1 to 1 (TensorFlow)', channels: 'rgb', mean: same(127.5), scale: same(1 / 127.5) },
  raw: { text: '0 to 255', channels: 'rgb', mean: same(0), scale: same(1) },
  caffe: { text: 'BGR minus mean (Caffe)', channels: 'bgr', mean: [104, 117, 123], scale: same(1) },
} as const satisfies Record<string, Scaling & { text: string }>;

export type Preset = keyof typeof presets;

/** The input of a classifier that is not in the catalogue, read from what the model declares. */
export function inputOf(session: Session, preset: Preset): PictureInput {
  const declared = session.inputs.filter(({ optional }) => !optional);
  const [input] = declared;
  if (input === undefined || declared.length > 1 || input.shape?.length !== 4) {
    throw new Error(
      'A picture classifier has one input of four dimensions; this model has other inputs. Open it on the page “Run any model”.',
    );
  }
  const { type } = input;
  if (type !== 'float32' && type !== 'float16' && type !== 'uint8') {
    throw new Error(`A picture classifier takes float32, float16 or uint8 pixels; this model takes ${type}.`);
  }
  const dims = input.shape.map((dim) => (typeof dim === 'number' ? dim : undefined));
  const layout = dims[3] === 3 || dims[3] === 1 ? 'nhwc' : 'nchw';
  const [channels, height, width] = layout === 'nchw' ? [dims[1], dims[2], dims[3]] : [dims[3], dims[1], dims[2]];
  const scaling: Scaling = type === 'uint8' ? presets.raw : presets[preset];
  return {
    type,
    layout,
    channels: channels === 1 ? 'gray' : scaling.channels,
    height: height ?? 224,
    width: width ?? 224,
    fit: 'cover',
    mean: scaling.mean,
    scale: scaling.scale,
  };
}
