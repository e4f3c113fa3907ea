import type { Session } from 'neuromancer';
import type { ImageOptions } from 'neuromancer/image';
import type { PictureInput } from '../catalogue.ts';

/** How published ImageNet models expect their pixels. */
export const presets = {
  torchvision: {
    text: 'ImageNet mean and deviation (torchvision, timm)',
    input: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  },
  unit: { text: '0 to 1', input: {} },
  signed: { text: '−1 to 1 (TensorFlow)', input: { mean: 0.5, std: 0.5 } },
  raw: { text: '0 to 255', input: { scale: 1 } },
  caffe: { text: 'BGR minus mean (Caffe)', input: { channels: 'bgr', scale: 1, mean: [104, 117, 123] } },
} as const satisfies Record<string, { text: string; input: ImageOptions }>;

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
  const size = { width: width ?? 224, height: height ?? 224 };
  const gray = channels === 1 ? ({ channels: 'gray' } as const) : {};
  // Of bytes there is nothing to normalise, and a single channel has no mean of three.
  if (type === 'uint8') return { size, layout, dtype: type, ...gray };
  const { input: normalisation } = presets[channels === 1 ? 'unit' : preset];
  return { size, layout, dtype: type, ...normalisation, ...gray };
}
