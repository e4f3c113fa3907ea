import { NeuromancerError } from '../api/errors.js';
import { checkOptions, type OptionRules } from '../api/names.js';
import type { TensorLike } from '../values/tensor.js';
import { powerSpectra } from './fourier.js';
import { type FrameOptions, frames } from './frames.js';
import { type MelScale, melFilters } from './mel.js';
import { counted, frequency } from './samples.js';

export interface LogMelOptions {
  /** Of the samples, in hertz; by default 16000. */
  sampleRate?: number;
  /** Samples under one window (periodic Hann), and of its Fourier transform; by default 400. */
  size?: number;
  /** Samples from one window to the next; by default 160. */
  hop?: number;
  /** Bands; by default 80. */
  mels?: number;
  /** The lowest frequency in hertz; by default 0. */
  low?: number;
  /** The highest; by default half of the sampling rate. */
  high?: number;
  /** By default "slaney". */
  scale?: MelScale;
  /** By default "reflect". */
  pad?: FrameOptions['pad'];
  /** The base of the logarithm; by default 10. */
  log?: 'e' | 10;
  /** The least power, below which all is the same; by default 1e-10. */
  floor?: number;
}

const rules: OptionRules = {
  sampleRate: counted,
  size: counted,
  hop: counted,
  mels: counted,
  low: frequency,
  high: frequency,
  scale: ['"slaney" or "htk"', (value) => value === 'slaney' || value === 'htk'],
  pad: ['"none", "end" or "reflect"', (value) => ['none', 'end', 'reflect'].includes(value as string)],
  log: ['"e" or 10', (value) => value === 'e' || value === 10],
  floor: ['a number above 0', (value) => typeof value === 'number' && value > 0],
};

/** The logarithm of the power in each band of the mel scale over time: float32[mels, frames]. */
export function logMel(samples: Float32Array, options: LogMelOptions = {}): TensorLike {
  checkOptions('logMel', options, rules);
  const { sampleRate = 16000, size = 400, hop = 160, mels = 80, low = 0, scale = 'slaney' } = options;
  const { high = sampleRate / 2, pad = 'reflect', log = 10, floor = 1e-10 } = options;
  if (!(low < high && high <= sampleRate / 2)) {
    throw new NeuromancerError(
      'invalid_argument',
      `Bands from ${low} to ${high} Hz do not lie between 0 and half of the sampling rate, ${sampleRate / 2} Hz.`,
    );
  }
  const { data: pieces, shape } = frames(samples, { size, hop, pad });
  const [count = 0] = shape;
  const bins = Math.floor(size / 2) + 1;
  // Most of a band's weights are 0.
  const filters = melFilters(mels, bins, sampleRate, low, high, scale).map((all) => {
    const first = Math.max(
      0,
      all.findIndex((weight) => weight !== 0),
    );
    return { first, weights: all.subarray(first, all.findLastIndex((weight) => weight !== 0) + 1) };
  });
  const window = Float32Array.from({ length: size }, (_, i) => Math.sin((Math.PI * i) / size) ** 2);
  const logarithm = log === 10 ? Math.log10 : Math.log;
  const transform = powerSpectra(size);
  const powers = [new Float64Array(bins), new Float64Array(bins)] as const;
  const windowed = [new Float32Array(size), new Float32Array(size)] as const;
  const data = new Float32Array(mels * count);
  for (let frame = 0; frame < count; frame += powers.length) {
    windowed.forEach((piece, i) => {
      const from = (frame + i) * size;
      for (let j = 0; j < size; j++) piece[j] = ((pieces as Float32Array)[from + j] ?? 0) * (window[j] as number);
    });
    transform(...windowed, powers);
    powers.slice(0, count - frame).forEach((power, i) => {
      filters.forEach(({ first, weights }, band) => {
        let sum = 0;
        for (let bin = 0; bin < weights.length; bin++) sum += (weights[bin] as number) * (power[first + bin] as number);
        data[band * count + frame + i] = logarithm(Math.max(sum, floor));
      });
    });
  }
  return { type: 'float32', data, shape: [mels, count] };
}
