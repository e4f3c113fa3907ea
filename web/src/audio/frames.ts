import { NeuromancerError } from '../api/errors.js';
import { checkOptions, type OptionRules } from '../api/names.js';
import type { TensorLike } from '../values/tensor.js';
import { checkSamples, counted } from './samples.js';

export interface FrameOptions {
  /** Samples of one frame. */
  size: number;
  /** Samples from one frame's beginning to the next's; by default the size. */
  hop?: number;
  /**
   * "none" (the default): whole frames only. "end": zeros fill the last one. "reflect": frames lie around multiples of the
   * hop, with half a frame mirrored before the first sample and after the last.
   */
  pad?: 'none' | 'end' | 'reflect';
}

const rules: OptionRules = {
  size: counted,
  hop: counted,
  pad: ['"none", "end" or "reflect"', (value) => ['none', 'end', 'reflect'].includes(value as string)],
};

/** Pieces of a sound, which may overlap: float32[frames, size]. */
export function frames(samples: Float32Array, options: FrameOptions): TensorLike {
  checkSamples('frames', samples);
  checkOptions('frames', options, rules);
  const { size, hop = size, pad = 'none' } = options;
  if (size === undefined) throw new NeuromancerError('invalid_argument', 'frames needs the option "size".');
  const padded = pad === 'reflect' ? reflected(samples, Math.floor(size / 2)) : samples;
  const room = padded.length - size;
  const more = pad === 'end' ? Math.ceil(room / hop) : Math.floor(room / hop);
  const count = padded.length === 0 ? 0 : Math.max(pad === 'end' ? 1 : 0, more + 1);
  const data = new Float32Array(count * size);
  for (let i = 0; i < count; i++) data.set(padded.subarray(i * hop, i * hop + size), i * size);
  return { type: 'float32', data, shape: [count, size] };
}

function reflected(samples: Float32Array, side: number): Float32Array {
  const { length } = samples;
  if (length <= side) {
    throw new NeuromancerError(
      'invalid_data',
      `A sound of ${length} samples is too short to be mirrored by ${side}; give it zeros first.`,
    );
  }
  const out = new Float32Array(length + 2 * side);
  out.set(samples, side);
  for (let i = 1; i <= side; i++) {
    out[side - i] = samples[i] as number;
    out[side + length - 1 + i] = samples[length - 1 - i] as number;
  }
  return out;
}
