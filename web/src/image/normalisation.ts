// How the bytes of pixels become a tensor's values, and back.
import { NeuromancerError } from '../api/errors.js';
import type { OptionRules } from '../api/names.js';
import { float32ToFloat16 } from '../values/float16.js';

/** "gray" is luma by the weights of ITU-R BT.601. */
export type Channels = 'rgb' | 'bgr' | 'rgba' | 'gray';
export type Layout = 'nchw' | 'nhwc';
export type PixelType = 'float32' | 'float16' | 'uint8';

/** value = (byte × scale − mean) ÷ std, with one number for all channels or one for each, in their order. */
export interface Normalisation {
  /** By default 1/255, so that values are 0 to 1. */
  scale?: number;
  /** By default 0. */
  mean?: number | readonly number[];
  /** By default 1. */
  std?: number | readonly number[];
}

/** Where each channel is among a pixel's four bytes. */
export const channelBytes: Readonly<Record<Channels, readonly number[]>> = {
  rgb: [0, 1, 2],
  bgr: [2, 1, 0],
  rgba: [0, 1, 2, 3],
  gray: [0],
};

const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const numbers = (holds: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as number[]).every(holds) : holds(value);
const isDivisor = (value: unknown) => isNumber(value) && value !== 0;

/** A rule for an option that is one of these words. */
export function oneOf(...words: readonly string[]): OptionRules[string] {
  return [words.map((word) => `"${word}"`).join(' or '), (value) => words.includes(value as string)];
}

export const normalisationRules: OptionRules = {
  layout: oneOf('nchw', 'nhwc'),
  channels: oneOf(...Object.keys(channelBytes)),
  scale: ['a number other than 0', isDivisor],
  mean: ['a number, or one for each channel', numbers(isNumber)],
  std: ['a number other than 0, or one for each channel', numbers(isDivisor)],
};

/** The scale, and for each channel its mean and standard deviation. */
export function perChannel({ scale = 1 / 255, mean = 0, std = 1 }: Normalisation, count: number) {
  const each = (name: string, given: number | readonly number[]): readonly number[] => {
    if (typeof given === 'number') return Array(count).fill(given);
    if (given.length === count) return given;
    throw new NeuromancerError(
      'invalid_argument',
      `The option "${name}" has ${given.length} numbers for ${count} channels.`,
      { expected: `${count} numbers`, actual: `${given.length} numbers` },
    );
  };
  return { scale, mean: each('mean', mean), std: each('std', std) };
}

export type PixelData = Float32Array | Uint16Array | Uint8Array;

/** What each of the 256 bytes becomes, for each channel. */
export function valueTables(type: PixelType, options: Normalisation, count: number): readonly PixelData[] {
  if (type === 'uint8') {
    const given = (['scale', 'mean', 'std'] as const).find((name) => options[name] !== undefined);
    if (given === undefined) return Array(count).fill(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    throw new NeuromancerError(
      'invalid_argument',
      `The option "${given}" has no meaning for uint8, which takes the bytes as they are; choose the dtype "float32".`,
    );
  }
  const { scale, mean, std } = perChannel(options, count);
  return mean.map((middle, channel) => {
    const values = Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - middle) / (std[channel] as number));
    return type === 'float16' ? float32ToFloat16(values) : values;
  });
}
