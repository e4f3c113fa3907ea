import { NeuromancerError } from '../api/errors.js';
import { type OptionRules, plainly } from '../api/names.js';
import { kindOf } from '../host/host.js';

/** Refuses what are no samples. */
export function checkSamples(call: string, samples: unknown): void {
  if (kindOf(samples) === 'Float32Array') return;
  throw new NeuromancerError(
    'invalid_argument',
    `${call} takes samples of −1 to 1 in a Float32Array, not ${plainly(samples)}.`,
  );
}

/** A rule for an option that counts something. */
export const counted: OptionRules[string] = [
  'a whole number of 1 or more',
  (value) => Number.isSafeInteger(value) && Number(value) >= 1,
];

export const frequency: OptionRules[string] = [
  'a number of hertz',
  (value) => typeof value === 'number' && value >= 0 && Number.isFinite(value),
];
