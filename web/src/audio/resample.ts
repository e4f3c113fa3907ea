import { NeuromancerError } from '../api/errors.js';
import { plainly } from '../api/names.js';
import { checkSamples } from './samples.js';

/** Zero crossings of the sinc on each side, and the share of the lower Nyquist frequency that passes: as torchaudio's. */
const crossings = 6;
const rolloff = 0.99;

/**
 * Samples at another rate, both in hertz: band-limited by a sinc under a Hann window, so that nothing above half of the
 * new rate comes back as another tone. There are ⌈length × to ÷ from⌉ of them.
 */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  checkSamples('resample', samples);
  for (const rate of [from, to]) {
    if (Number.isSafeInteger(rate) && rate > 0) continue;
    throw new NeuromancerError('invalid_argument', `A sampling rate is a whole number of hertz, not ${plainly(rate)}.`);
  }
  if (from === to) return samples.slice();
  const divisor = greatestCommonDivisor(from, to);
  // Every `down` samples of the old rate the `up` of the new one lie at the same places again.
  const [down, up] = [from / divisor, to / divisor];
  const cutoff = rolloff * Math.min(1, to / from);
  const reach = crossings / cutoff;
  const out = new Float32Array(Math.ceil((samples.length * up) / down));
  const phases = new Map<number, Float32Array>();
  for (let i = 0; i < out.length; i++) {
    const phase = (i * down) % up;
    const whole = (i * down - phase) / up;
    let kernel = phases.get(phase);
    if (kernel === undefined) {
      kernel = kernelAt(phase / up, reach, cutoff);
      phases.set(phase, kernel);
    }
    const first = whole - Math.ceil(reach);
    let sum = 0;
    for (let k = Math.max(0, -first); k < kernel.length && first + k < samples.length; k++) {
      sum += (kernel[k] as number) * (samples[first + k] as number);
    }
    out[i] = sum;
  }
  return out;
}

/** The weights of the samples around a place that lies `offset` after one. */
function kernelAt(offset: number, reach: number, cutoff: number): Float32Array {
  const side = Math.ceil(reach);
  return Float32Array.from({ length: 2 * side + 1 }, (_, k) => {
    const distance = k - side - offset;
    if (Math.abs(distance) >= reach) return 0;
    const x = Math.PI * distance * cutoff;
    const sinc = x === 0 ? 1 : Math.sin(x) / x;
    return cutoff * sinc * Math.cos((Math.PI * distance) / (2 * reach)) ** 2;
  });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
