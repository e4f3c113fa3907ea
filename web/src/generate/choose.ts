import { NeuromancerError } from '../api/errors.js';
import { largest, softmax } from '../values/softmax.js';
import type { Random } from './random.js';

/** The likeliest token; of equally likely ones the first. */
export function likeliest(logits: Float32Array): number {
  return logits.indexOf(checkedLargest(logits));
}

/** A token by its probability. */
export function draw(logits: Float32Array, random: Random): number {
  checkedLargest(logits);
  const probabilities = softmax(logits);
  if (Number.isNaN(probabilities[0])) throw new NeuromancerError('invalid_data', 'The model gave a logit that is NaN.');
  let left = random();
  let last = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i] as number;
    if (probability === 0) continue;
    last = i;
    left -= probability;
    if (left < 0) return i;
  }
  // What rounding left over is the last one's.
  return last;
}

function checkedLargest(logits: Float32Array): number {
  const most = largest(logits);
  if (Number.isFinite(most)) return most;
  throw new NeuromancerError(
    'invalid_data',
    most > 0
      ? 'The model gave a logit of Infinity: it is broken, or its 16-bit floats have run over.'
      : 'No token is left to choose from: every logit is NaN or was ruled out; relax badWords, noRepeat or the processors.',
  );
}
